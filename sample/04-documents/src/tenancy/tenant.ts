/** Whose request it is, and what they have paid for. */
export interface Tenant {
  /** A part of every key of theirs: lower-case letters, digits and dashes. */
  readonly id: string;
  /** The largest file, in bytes. */
  readonly fileBytes: number;
  /** All files together, in bytes. */
  readonly totalBytes: number;
}
