import type { Check } from '../check.js';
import { capabilities } from './capabilities.js';
import { copies } from './copy.js';
import { moves, movesRace } from './move.js';
import { copyConditions, namesMissing, ontoItself } from './transfer-refused.js';
import { deleteMany, deletePrefix } from './delete-many.js';
import { errors } from './errors.js';
import { deletes, deletesConditionally, deletesMissing, exists } from './exists-delete.js';
import { getReleases } from './get-releases.js';
import { getSnapshot } from './get-snapshot.js';
import { getBytesGives, getReadsAhead, getRejects } from './get.js';
import { info } from './info.js';
import { keyRules } from './key-rules.js';
import { keys } from './keys.js';
import { closes } from './lifecycle.js';
import { listEntries } from './list-entries.js';
import { listBeside, listGrows } from './list-beside.js';
import { listLimits, listOrder } from './list-order.js';
import { listPrefix } from './list-prefix.js';
import { options } from './options.js';
import { putAllOrNothing } from './put-all-or-nothing.js';
import { putAttributes } from './put-attributes.js';
import { putBodies } from './put-bodies.js';
import { putConditions } from './put-conditions.js';
import { putIntegrity } from './put-integrity.js';
import { putPersists } from './put-persists.js';
import { putProgress } from './put-progress.js';
import { putReplaces, putReturns } from './put-replaces.js';
import { putSource } from './put-source.js';
import { getConditions, ranges, rangesRefused } from './ranges.js';
import { signals } from './signals.js';
import { stageAborted, stageConditions, stageShows } from './stage.js';
import { uploadUrls, urls } from './urls.js';

/** Every check of the suite, in the order of the promises in `lib/contract/storage.ts`. */
export const ALL_CHECKS: readonly Check[] = [
  keys,
  keyRules,
  options,
  capabilities,
  errors,
  signals,
  putBodies,
  putReplaces,
  putReturns,
  putAttributes,
  putAllOrNothing,
  putIntegrity,
  putConditions,
  putSource,
  putProgress,
  putPersists,
  stageShows,
  stageAborted,
  stageConditions,
  getRejects,
  getSnapshot,
  getReleases,
  getReadsAhead,
  ranges,
  rangesRefused,
  getConditions,
  getBytesGives,
  info,
  exists,
  deletes,
  deletesMissing,
  deletesConditionally,
  deleteMany,
  deletePrefix,
  listPrefix,
  listOrder,
  listLimits,
  listGrows,
  listBeside,
  listEntries,
  copies,
  namesMissing,
  ontoItself,
  copyConditions,
  moves,
  movesRace,
  urls,
  uploadUrls,
  closes,
].flat();
