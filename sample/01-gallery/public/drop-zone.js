const zone = document.querySelector('#drop');

const carriesFiles = (transfer) => transfer !== null && transfer.types.includes('Files');

/** Files that are dropped anywhere on the page, or pasted. `onRefused(text)` says why something was not taken. */
export function watchDrops({ onFiles, onRefused }) {
  // Every element that is passed over enters and leaves; the pointer has left when both counts are equal.
  let inside = 0;
  const mark = () => zone.classList.toggle('over', inside > 0);

  document.addEventListener('dragenter', (event) => {
    if (!carriesFiles(event.dataTransfer)) return;
    inside++;
    mark();
  });
  document.addEventListener('dragleave', (event) => {
    if (!carriesFiles(event.dataTransfer)) return;
    inside = Math.max(0, inside - 1);
    mark();
  });
  document.addEventListener('dragover', (event) => {
    if (!carriesFiles(event.dataTransfer)) return;
    // Without this the browser leaves the page and opens the file.
    event.preventDefault();
    event.dataTransfer.dropEffect = 'copy';
  });
  document.addEventListener('drop', (event) => {
    if (!carriesFiles(event.dataTransfer)) return;
    event.preventDefault();
    inside = 0;
    mark();
    const { files, folders } = taken(event.dataTransfer);
    if (folders.length > 0) onRefused(`Folders are not taken: ${folders.join(', ')}. Drop the files in them instead.`);
    onFiles(files);
  });
  document.addEventListener('paste', (event) => {
    if (!carriesFiles(event.clipboardData)) return;
    event.preventDefault();
    onFiles([...event.clipboardData.files]);
  });
}

/** A folder looks like a file of a few bytes; only its entry tells. */
function taken(transfer) {
  const files = [];
  const folders = [];
  for (const item of transfer.items) {
    if (item.kind !== 'file') continue;
    const entry = item.webkitGetAsEntry?.();
    if (entry?.isDirectory === true) folders.push(entry.name);
    else files.push(item.getAsFile());
  }
  return { files: files.filter((file) => file !== null), folders };
}
