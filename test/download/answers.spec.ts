import { join } from 'node:path';
import { FileSystemStorage, MemoryStorage } from 'nestjs-storages';
import { SQLiteStorage } from 'nestjs-storages/sqlite';
import { FakeStorage } from 'nestjs-storages/testing';
import { JournalStorage } from '../readme/custom-backend.js';
import { describeAnswers } from './answers-on.js';

describeAnswers('memory', () => new MemoryStorage());
describeAnswers('filesystem', (folder) => new FileSystemStorage({ root: folder, durability: 'fast' }));
describeAnswers('SQLite', (folder) => new SQLiteStorage({ filename: join(folder, 'files.db') }));
describeAnswers('a fake', () => new FakeStorage());
describeAnswers("a reader's own backend", (folder) => new JournalStorage({ folder }));
