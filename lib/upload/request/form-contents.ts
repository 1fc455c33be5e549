import * as refused from '../errors/index.js';
import { unescapeFormName } from '../multipart/file-name.js';
import type { PartHeader } from '../multipart/multipart-parser.js';
import { describeFields, type FileRule, type FormRules } from '../upload-rules.js';

/** What of a form has come so far, held against its rules. Every method throws the `UploadException` that refuses the form. */
export class FormContents {
  readonly #rules: FormRules;
  readonly #filesOf = new Map<string, number>();
  #parts = 0;
  #fields = 0;
  #files = 0;

  constructor(rules: FormRules) {
    this.#rules = rules;
  }

  /** Counts a part of either kind. @returns the name of its field, which every part has */
  addPart({ name }: PartHeader): string {
    const { limits } = this.#rules;
    if (++this.#parts > limits.parts) throw refused.tooManyParts(limits.parts);
    if (name === undefined || name === '') throw refused.fieldNameMissing();
    if (Buffer.byteLength(name) > limits.fieldNameSize) throw refused.fieldNameTooLong(name, limits.fieldNameSize);
    return unescapeFormName(name);
  }

  /** Counts a text field. @returns its value */
  addField(name: string, value: string | undefined, truncated: boolean): string {
    const { limits } = this.#rules;
    if (++this.#fields > limits.fields) throw refused.tooManyFields(limits.fields);
    if (truncated) throw refused.fieldValueTooLong(name, limits.fieldSize);
    if (value === undefined) throw refused.fieldValueUnreadable(name);
    return value;
  }

  /** What holds for the files of a field, if it takes files. */
  ruleOf(fieldname: string): FileRule {
    const rule = this.#rules.files.get(fieldname);
    if (rule === undefined) throw refused.unexpectedFile(fieldname, describeFields(this.#rules));
    return rule;
  }

  /** Counts a file. @returns what holds for it */
  addFile(fieldname: string): FileRule {
    const { limits } = this.#rules;
    const rule = this.ruleOf(fieldname);
    if (++this.#files > limits.files) throw refused.tooManyFiles(limits.files);
    const count = (this.#filesOf.get(fieldname) ?? 0) + 1;
    this.#filesOf.set(fieldname, count);
    if (count > rule.maxCount) throw refused.tooManyFilesOfField(fieldname, rule.maxCount);
    return rule;
  }

  /** The first field whose file is required and has not come. */
  missingFile(): string | undefined {
    for (const [field, rule] of this.#rules.files) {
      if (rule.required && !this.#filesOf.has(field)) return field;
    }
    return undefined;
  }
}
