import 'reflect-metadata';
import { FileSystemStorage } from 'nestjs-storages';
import { UploadApplication } from '../upload-application.js';

// A server in a process of its own, that its parent asks for its memory and descriptors. One argument: the storage's root.
const storage = new FileSystemStorage({ root: process.argv[2] ?? '', durability: 'fast' });
const { port } = await UploadApplication.start({ storage, handler: (file) => ({ key: file?.key, size: file?.size }) });

let peak = 0;
setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss());
}, 10).unref();

process.on('message', () => {
  process.send?.({ resident: process.memoryUsage.rss(), peak });
  peak = 0;
});
process.on('disconnect', () => {
  process.exit();
});
process.send?.({ port });
