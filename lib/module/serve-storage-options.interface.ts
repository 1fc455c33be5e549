import type { CanActivate, ModuleMetadata, Type } from '@nestjs/common';
import type { StoredFileOptions } from '../download/index.js';

/** What `StorageModule.serveStorage()` takes. What it does not say of an answer comes from the file, as with `storedFile`. */
export interface ServeStorageOptions
  extends Pick<ModuleMetadata, 'imports'>, Omit<StoredFileOptions, 'filename' | 'contentType'> {
  /** Where the files are: `files` for `/files/photos/a.png`, behind the application's global prefix. Parameters of a route work (`:tenant/files`), and say nothing. */
  readonly path: string;
  /** The name of the storage. Default: the default storage. */
  readonly storage?: string | undefined;
  /** What the keys begin with in that storage, such as `public/`. Nothing else of it can be reached. Default: every key. */
  readonly prefix?: string | undefined;
  /** Who may read: guards as for `@UseGuards()`. What a class needs is injected from the modules in `imports`, and from global ones. */
  readonly guards?: readonly (Type<CanActivate> | CanActivate)[] | undefined;
  /** More decorators for the controller: `[Roles('member'), UseFilters(NotFoundPage), UseInterceptors(CountDownloads)]`. */
  readonly decorators?: readonly ClassDecorator[] | undefined;
  /** The file that stands for a path which ends with `/`, such as `index.html`. Default: there is none, and such a path is 404. */
  readonly index?: string | undefined;
}
