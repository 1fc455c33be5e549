import * as refused from '../errors/index.js';
import type { NamedFile } from '../file/stage-file.js';
import { unescapeFormName } from '../multipart/file-name.js';
import { describeFields, type FileRule, type UploadRules } from '../upload-rules.js';

/** What of a form has come so far, held against its rules. Every method throws the `UploadException` that refuses the form. */
export class FormContents {
  readonly #rules: UploadRules;
  /** By field: the files that came, and those of them that no filter has left out. */
  readonly #filesOf = new Map<string, number>();
  readonly #leftOutOf = new Map<string, number>();
  /** Fields of files that came as text: their senders forgot the file's name (`filename`), and should be told so. */
  readonly #sentAsText = new Set<string>();
  #parts = 0;
  #fields = 0;
  #fieldBytes = 0;
  #files = 0;
  #fileBytes = 0;

  constructor(rules: UploadRules) {
    this.#rules = rules;
  }

  /** Counts a part of either kind. @returns the name of its field, which every part has */
  addPart(name: string | undefined): string {
    const { limits } = this.#rules;
    if (++this.#parts > limits.parts) throw refused.tooManyParts(limits.parts);
    if (name === undefined || name === '') throw refused.fieldNameMissing();
    if (Buffer.byteLength(name) > limits.fieldNameSize) throw refused.fieldNameTooLong(name, limits.fieldNameSize);
    return unescapeFormName(name);
  }

  /** Counts a text field. */
  addField(name: string): void {
    const { limits, files } = this.#rules;
    if (++this.#fields > limits.fields) throw refused.tooManyFields(name, limits.fields);
    if (files.has(name)) this.#sentAsText.add(name);
  }

  /** Counts bytes of a text field. @param size of this field so far */
  addFieldBytes(name: string, size: number, bytes: number): void {
    const { limits } = this.#rules;
    if (size > limits.fieldSize) throw refused.fieldValueTooLong(name, limits.fieldSize);
    this.#fieldBytes += bytes;
    if (this.#fieldBytes > limits.fieldsSize) throw refused.fieldValuesTooLong(name, limits.fieldsSize);
  }

  /** What holds for the files of a field, if it takes files. */
  ruleOf(file: NamedFile): FileRule {
    const rule = this.#rules.files.get(file.fieldname) ?? this.#rules.otherFiles;
    if (rule === undefined) throw refused.unexpectedFile(file, describeFields(this.#rules));
    return rule;
  }

  /** Counts a file of a field that takes files. */
  addFile(file: NamedFile, rule: FileRule): void {
    const { fieldname } = file;
    const { limits } = this.#rules;
    if (++this.#files > limits.files) throw refused.tooManyFiles(file, limits.files);
    const count = (this.#filesOf.get(fieldname) ?? 0) + 1;
    this.#filesOf.set(fieldname, count);
    if (count > rule.maxCount) throw refused.tooManyFilesOfField(file, rule.maxCount);
  }

  /** Counts bytes of a file. @param size of this file so far */
  addFileBytes(file: NamedFile, rule: FileRule, size: number, bytes: number): void {
    if (size > rule.fileSize) throw refused.fileTooLarge(file, rule.fileSize);
    const { totalSize } = this.#rules.limits;
    this.#fileBytes += bytes;
    if (this.#fileBytes > totalSize) throw refused.filesTooLarge(file, totalSize);
  }

  /**
   * A file that a filter has left out. It still counts, as with multer: whether a filter has answered before the next file comes depends
   * on how the body was cut, and a limit must not.
   */
  dropFile(fieldname: string): void {
    this.#leftOutOf.set(fieldname, (this.#leftOutOf.get(fieldname) ?? 0) + 1);
  }

  /** @throws UploadException for the first field whose file is required and has not come */
  checkComplete(): void {
    const { files, otherFiles } = this.#rules;
    for (const [field, rule] of files) {
      if (rule.required && this.#taken(field) === 0) throw refused.fileMissing(field, this.#sentAsText.has(field));
    }
    const none = [...this.#filesOf.keys()].every((field) => this.#taken(field) === 0);
    if (otherFiles?.required === true && none) throw refused.filesMissing();
  }

  #taken(field: string): number {
    return (this.#filesOf.get(field) ?? 0) - (this.#leftOutOf.get(field) ?? 0);
  }
}
