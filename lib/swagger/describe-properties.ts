import { ApiProperty, type ApiPropertyOptions } from '@nestjs/swagger';

/** What is said of each property of a class, of one that another class has said it of too, over that. */
export type DescribedProperties<T> = { readonly [Name in keyof T]-?: ApiPropertyOptions };

/**
 * Does what `@ApiProperty()` at each property would: from one table, which the compiler holds to the type that it describes, so that a property which
 * is added there cannot be forgotten here.
 */
export function describeProperties(model: { readonly prototype: object }, properties: object): void {
  for (const [name, options] of Object.entries(properties) as [string, ApiPropertyOptions][]) {
    ApiProperty(options)(model.prototype, name);
  }
}
