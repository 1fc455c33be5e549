// npm run bench [-- upload | sqlite]
const [, , which = 'upload'] = process.argv;
switch (which) {
  case 'upload':
    await import('./upload/upload.bench.js');
    break;
  case 'sqlite':
    await import('./sqlite/sqlite.bench.js');
    break;
  default:
    throw new Error(`There is no benchmark of ${which}: say upload or sqlite.`);
}
