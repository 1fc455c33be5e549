import 'reflect-metadata';
import { mkdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { Controller, Module, Post, UploadedFile, UploadedFiles, UseInterceptors } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FileInterceptor, FilesInterceptor } from '@nestjs/platform-express';
import { FileSystemStorage, StorageFileInterceptor, StorageModule } from 'nestjs-storages';

const [kind = '', root = ''] = process.argv.slice(2);
mkdirSync(root, { recursive: true });

interface WithSize {
  readonly size: number;
}

@Controller()
class NestDisk {
  @Post('one')
  @UseInterceptors(FileInterceptor('file', { dest: root }))
  one(@UploadedFile() file: WithSize): number {
    return file.size;
  }

  @Post('many')
  @UseInterceptors(FilesInterceptor('file', 1000, { dest: root }))
  many(@UploadedFiles() files: WithSize[]): number {
    return files.length;
  }
}

let written = 0;

@Controller()
class NestMemory {
  @Post('one')
  @UseInterceptors(FileInterceptor('file'))
  async one(@UploadedFile() file: WithSize & { buffer: Buffer }): Promise<number> {
    await writeFile(join(root, `f${written++}`), file.buffer);
    return file.size;
  }

  @Post('many')
  @UseInterceptors(FilesInterceptor('file', 1000))
  async many(@UploadedFiles() files: (WithSize & { buffer: Buffer })[]): Promise<number> {
    await Promise.all(files.map((file) => writeFile(join(root, `f${written++}`), file.buffer)));
    return files.length;
  }
}

@Controller()
class Ours {
  @Post('one')
  @UseInterceptors(StorageFileInterceptor('file'))
  one(@UploadedFile() file: WithSize): number {
    return file.size;
  }
}

const storage = (durability: 'full' | 'fast') =>
  StorageModule.forRoot({ storages: { uploads: new FileSystemStorage({ root, durability }) } });

@Module({ controllers: [NestDisk] })
class NestDiskModule {}

@Module({ controllers: [NestMemory] })
class NestMemoryModule {}

@Module({ controllers: [Ours], imports: [storage(kind === 'full' ? 'full' : 'fast')] })
class OursModule {}

const MODULES = new Map<string, new () => object>([
  ['nest-disk', NestDiskModule],
  ['nest-memory', NestMemoryModule],
  ['fast', OursModule],
  ['full', OursModule],
]);

const module = MODULES.get(kind);
if (module === undefined) throw new Error(`No server is called ${kind}.`);
const app = await NestFactory.create(module, { logger: ['error'] });
await app.listen(0, '127.0.0.1');

/** Largest resident memory ever, in bytes; writing 5 to clear_refs begins anew (proc(5)). */
const peak = (): number => Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) * 1024;
const clearPeak = (): Promise<void> => writeFile('/proc/self/clear_refs', '5');

await clearPeak();
let idle = process.memoryUsage().rss;
let cpu = process.cpuUsage();

process.on('message', (message) => {
  if (message === 'stop') {
    void app.close().then(() => process.exit(0));
    return;
  }
  const used = process.cpuUsage(cpu);
  const peakOverIdle = peak() - idle;
  void clearPeak().then(() => {
    idle = process.memoryUsage().rss;
    cpu = process.cpuUsage();
    process.send?.({ cpu: (used.user + used.system) / 1e6, peakOverIdle });
  });
});
process.send?.({ port: ((app.getHttpServer() as Server).address() as AddressInfo).port });
