import { deleteFile, listPage } from './api.js';
import { watchDrops } from './drop-zone.js';
import { FileGrid } from './file-grid.js';
import { formatCount } from './format.js';
import { Pager } from './pager.js';
import { Selection } from './selection.js';
import { ShareDialog } from './share-dialog.js';
import { UploadList } from './upload-list.js';
import { UploadQueue } from './upload-queue.js';
import { Viewer } from './viewer.js';

const announcements = document.querySelector('#announcements');
const notice = document.querySelector('#notice');
const noticeText = document.querySelector('#notice-text');
const confirmDialog = document.querySelector('#confirm');
const confirmName = document.querySelector('#confirm-name');

/** Says to a screen reader what others see. */
const announce = (text) => (announcements.textContent = text);

function showProblem(text) {
  noticeText.textContent = text;
  notice.hidden = false;
}

/** Whether the visitor means it. Escape, and the button that has the focus at first, keep the file. */
function confirmDelete(file) {
  confirmName.textContent = file.name;
  confirmDialog.returnValue = '';
  confirmDialog.showModal();
  return new Promise((resolve) => {
    confirmDialog.addEventListener('close', () => resolve(confirmDialog.returnValue === 'delete'), { once: true });
  });
}

async function removeFile(file) {
  if (!(await confirmDelete(file))) return;
  try {
    await deleteFile(file);
    grid.remove(file);
    selection.show();
    announce(`${file.name} is deleted.`);
  } catch (error) {
    showProblem(`${file.name} could not be deleted. ${error.message}`);
  }
}

const viewer = new Viewer();
const shareDialog = new ShareDialog();
const grid = new FileGrid({
  onOpen: (file) => viewer.open(file, grid.files),
  onShare: (file) => shareDialog.open(file),
  onDelete: removeFile,
});
const selection = new Selection({ filesOf: (keys) => grid.filesOf(keys), onRefused: showProblem });
const queue = new UploadQueue();
new UploadList(queue);

queue.addEventListener('change', ({ detail: upload }) => {
  if (upload.state === 'done') grid.add(upload.stored);
  if (upload.state === 'done') announce(`${upload.name} is stored.`);
  if (upload.state === 'cancelled') announce(`${upload.name} is cancelled.`);
  if (upload.state === 'failed') announce(`${upload.name} could not be uploaded. ${upload.problem}`);
});

function upload(files) {
  if (files.length === 0) return;
  announce(`Uploading ${formatCount(files.length, 'file', 'files')}.`);
  queue.add(files);
}

const input = document.querySelector('#input');
document.querySelector('#choose').addEventListener('click', () => input.click());
input.addEventListener('change', () => {
  upload([...input.files]);
  input.value = ''; // so that the same file can be chosen again
});
watchDrops({ onFiles: upload, onRefused: showProblem });
document.querySelector('#notice-close').addEventListener('click', () => {
  notice.hidden = true;
  document.querySelector('#choose').focus();
});
window.addEventListener('beforeunload', (event) => {
  if (queue.busy) event.preventDefault();
});

let after = null;

async function loadPage() {
  try {
    const { files, next } = await listPage(after);
    after = next;
    grid.append(files, next !== null);
    return next === null ? 'end' : 'more';
  } catch (error) {
    showProblem(`The files could not be listed. ${error.message}`);
    return 'failed';
  }
}

await new Pager(loadPage).more();
