import { Injectable } from '@nestjs/common';
import { InjectStorage, Storage } from 'nestjs-storages';
import type { Tenant } from '../tenancy/tenant.js';
import { tenantView } from '../tenancy/tenant-storage.js';
import { documentItem, type DocumentItem, type DocumentPage, type PageQuery, type ShareLink } from './documents.dto.js';

/** What can be done with a tenant's documents. Every method begins with the tenant's view, and none sees more than that. */
@Injectable()
export class DocumentsService {
  constructor(@InjectStorage('documents') private readonly documents: Storage) {}

  of(tenant: Tenant): Storage {
    return tenantView(this.documents, tenant);
  }

  /** The storage goes to `after` at once, so the hundredth page costs what the first one does. */
  async page(tenant: Tenant, { folder, after, limit }: PageQuery): Promise<DocumentPage> {
    const folders: string[] = [];
    const documents: DocumentItem[] = [];
    let last: string | undefined;
    // one more than is shown tells whether there are more
    const entries = this.of(tenant).listEntries(prefixOf(folder), { startAfter: after, limit: limit + 1 });
    for await (const entry of entries) {
      if (folders.length + documents.length === limit) return { folders, documents, next: last ?? null };
      last = entry.kind === 'file' ? entry.file.key : entry.prefix;
      if (entry.kind === 'file') documents.push(documentItem(entry.file));
      else folders.push(entry.prefix.slice(0, -1));
    }
    return { folders, documents, next: null };
  }

  /** Never over another document. */
  async move(tenant: Tenant, from: string, to: string): Promise<DocumentItem> {
    return documentItem(await this.of(tenant).move(from, to, { ifNoneMatch: '*' }));
  }

  async delete(tenant: Tenant, path: string): Promise<void> {
    await this.of(tenant).delete(path);
  }

  /** Whoever has the link needs nothing else, until it expires or the document goes. */
  async share(tenant: Tenant, path: string, expiresIn: number): Promise<ShareLink> {
    const view = this.of(tenant);
    // a link can be signed for what is not there
    await view.info(path);
    const expiresAt = new Date(Date.now() + expiresIn * 1000).toISOString();
    return { url: await view.url(path, { expiresIn, disposition: 'attachment' }), expiresAt };
  }

  /** By counting. A service with many documents for each tenant keeps a sum in its database instead. */
  async usage(tenant: Tenant): Promise<{ readonly documents: number; readonly usedBytes: number }> {
    let documents = 0;
    let usedBytes = 0;
    for await (const { size } of this.of(tenant).list()) {
      documents++;
      usedBytes += size;
    }
    return { documents, usedBytes };
  }
}

/** What the keys of a folder begin with. */
export function prefixOf(folder: string | undefined): string {
  return folder === undefined ? '' : `${folder}/`;
}
