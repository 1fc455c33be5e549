import type { CaseGroup } from '../run/hostile-case.js';
import { abortedUploads } from './aborts.js';
import { boundaries } from './boundaries.js';
import { contents } from './contents.js';
import { counts } from './counts.js';
import { endlessBodies } from './endless.js';
import { fieldNames } from './field-names.js';
import { fileNames } from './file-names.js';
import { chunks, lengths } from './http-bodies.js';
import { negotiation, pipelines } from './http-requests.js';
import { fileFields, limits, races } from './limits.js';
import { mutations } from './mutations.js';
import { partHeaders } from './part-headers.js';
import { rawBodies } from './raw-bodies.js';
import { splits } from './splits.js';
import { stalls } from './stalls.js';

/** Every hostile case. */
export const GROUPS: readonly CaseGroup[] = [
  splits,
  boundaries,
  partHeaders,
  counts,
  fieldNames,
  fileNames,
  lengths,
  chunks,
  negotiation,
  pipelines,
  abortedUploads,
  stalls,
  endlessBodies,
  limits,
  fileFields,
  races,
  contents,
  rawBodies,
  mutations,
];
