import { IsInt, IsString, Matches, Max, MaxLength, Min } from 'class-validator';

/** Bytes: what S3 takes in one request. */
export const LARGEST = 5 * 1024 ** 3;

/** What a browser says of a file before it may put it. */
export class UploadRequestDto {
  @IsString()
  @MaxLength(255)
  readonly name!: string;

  /** Empty where the browser does not know the kind. */
  @IsString()
  @Matches(/^(?:[\w.+-]+\/[\w.+-]+)?$/)
  @MaxLength(127)
  readonly type!: string;

  @IsInt()
  @Min(0)
  @Max(LARGEST)
  readonly size!: number;
}

/** What it has put. */
export class UploadedDto {
  @IsString()
  @MaxLength(1024)
  readonly key!: string;
}
