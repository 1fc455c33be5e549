import { IsInt, IsString, Max, MaxLength, Min } from 'class-validator';

/** What the page says of a file that it is about to send. */
export class UploadRequestDto {
  @IsString()
  @MaxLength(255)
  readonly name!: string;
}

/** Which file. */
export class FileDto {
  @IsString()
  @MaxLength(1024)
  readonly key!: string;
}

/** Which file, and how long its link is good. */
export class ShareRequestDto extends FileDto {
  /** Seconds; seven days are the most that a URL is signed for. */
  @IsInt()
  @Min(1)
  @Max(7 * 24 * 3600)
  readonly expiresIn!: number;
}
