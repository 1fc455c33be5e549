import { attributesOf, type StagedFile, type StoredFile } from '../contract/index.js';

/** What is put around the two steps that end a staged file. */
export interface StagedSteps {
  commit(next: () => Promise<StoredFile>): Promise<StoredFile>;
  abort(next: () => Promise<void>): Promise<void>;
}

/** The same staged file, whose commit and abort pass through something first. */
export function withSteps(staged: StagedFile, steps: StagedSteps): StagedFile {
  const abort = (): Promise<void> => steps.abort(() => staged.abort());
  return {
    ...attributesOf(staged),
    key: staged.key,
    size: staged.size,
    commit: () => steps.commit(() => staged.commit()),
    abort,
    [Symbol.asyncDispose]: abort,
  };
}
