import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectStorage, Storage } from 'nestjs-storages';
import { documentItem, type DocumentItem } from '../documents/documents.dto.js';
import { DocumentsService } from '../documents/documents.service.js';
import type { Tenant } from '../tenancy/tenant.js';
import { tenantView } from '../tenancy/tenant-storage.js';
import { csvLine } from './csv.js';

/** How many reports a tenant has at most. */
const MOST_KEPT = 20;
/** Milliseconds since 1970, in the year 2286: the last that has thirteen digits. */
const LAST_TIME = 9_999_999_999_999;

/** Inventories of a tenant's documents, in a storage of their own. */
@Injectable()
export class ReportsService {
  constructor(
    @InjectStorage('reports') private readonly reports: Storage,
    private readonly documents: DocumentsService,
  ) {}

  of(tenant: Tenant): Storage {
    return tenantView(this.reports, tenant);
  }

  /** Written as it is read: neither the list nor the report is ever whole in memory. The oldest ones go. */
  async create(tenant: Tenant): Promise<DocumentItem> {
    // listings go by key, so it begins with a number that falls as time goes: the newest comes first
    const key = `${LAST_TIME - Date.now()}-${randomUUID()}.csv`;
    const report = await this.of(tenant).put(key, this.#lines(tenant), { ifNoneMatch: '*' });
    await this.of(tenant).deleteMany((await this.list(tenant)).slice(MOST_KEPT).map(({ path }) => path));
    return documentItem(report);
  }

  async list(tenant: Tenant): Promise<DocumentItem[]> {
    const reports: DocumentItem[] = [];
    for await (const file of this.of(tenant).list()) reports.push(documentItem(file));
    return reports;
  }

  async *#lines(tenant: Tenant): AsyncGenerator<Buffer> {
    yield Buffer.from(csvLine(['path', 'bytes', 'type', 'stored at']));
    for await (const { key, size, contentType, lastModified } of this.documents.of(tenant).list()) {
      yield Buffer.from(csvLine([key, size, contentType, lastModified.toISOString()]));
    }
  }
}
