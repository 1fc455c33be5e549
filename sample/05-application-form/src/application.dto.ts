import { Transform, Type } from 'class-transformer';
import { ArrayMinSize, IsArray, IsDefined, IsString, Matches, MaxLength, ValidateNested } from 'class-validator';

export class AddressDto {
  @IsString()
  @MaxLength(100, { message: 'The city is too long.' })
  @Matches(/\S/, { message: 'The city is missing.' })
  readonly city!: string;
}

/** The text fields of the form: `name`, `address[city]` and as many `languages[]` as there are. */
export class ApplicationDto {
  @IsString()
  @MaxLength(100, { message: 'The name is too long.' })
  @Matches(/\S/, { message: 'The name is missing.' })
  readonly name!: string;

  @IsDefined({ message: 'The city is missing.' })
  @ValidateNested()
  @Type(() => AddressDto)
  readonly address!: AddressDto;

  // inputs that were left empty are sent too
  @Transform(({ value }: { value: unknown }) => (Array.isArray(value) ? value.filter((each) => each !== '') : value))
  @IsArray({ message: 'Name at least one language.' })
  @ArrayMinSize(1, { message: 'Name at least one language.' })
  @MaxLength(50, { each: true, message: 'A language is too long.' })
  readonly languages!: string[];
}
