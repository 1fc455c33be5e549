import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Controller, HttpCode, Post, Res, type StreamableFile } from '@nestjs/common';
import type { Response } from 'express';
import { InjectStorage } from 'nestjs-storages';
import { SQLiteStorage } from 'nestjs-storages/sqlite';
import { attachment } from './attachment.js';

@Controller('api/backup')
export class BackupController {
  constructor(@InjectStorage() private readonly inbox: SQLiteStorage) {}

  /** The whole inbox as of one moment, while it is in use: a database of its own. A POST, for it costs as much as the inbox is large. */
  @Post()
  @HttpCode(200)
  async backUp(@Res({ passthrough: true }) response: Response): Promise<StreamableFile> {
    const folder = await mkdtemp(join(tmpdir(), 'inbox-backup-'));
    try {
      const path = join(folder, 'inbox.db');
      // what was deleted or broken off is not to be sent
      await this.inbox.compact();
      await this.inbox.backup(path);
      const file = await open(path);
      const { size } = await file.stat();
      return attachment(response, {
        name: `inbox ${new Date().toISOString().slice(0, 19).replaceAll(':', '.')}.db`,
        contentType: 'application/vnd.sqlite3',
        size,
        body: file.createReadStream(),
      });
    } finally {
      // It is read through its descriptor; so nothing is left, whatever becomes of the client.
      await rm(folder, { recursive: true });
    }
  }
}
