// Adding files: picked, or dropped anywhere on the page. One at a time, in order.

import { uploadDocument } from './api.js';
import { byId, element, icon } from './dom.js';
import { label, say } from './language.js';
import { Problem, problemBox } from './problem.js';

/** Wires the picker and the drop; `documents` is the list, `reveal` shows its panel. */
export function startUploads(documents, reveal) {
  const waiting = byId('uploads');
  const picker = byId('file');
  let queue = Promise.resolve();

  function add(files) {
    for (const file of files) {
      const row = element('li', { class: 'upload' });
      row.append(say(element('span', { dir: 'auto' }), 'documents.uploading', { name: file.name }));
      row.append(element('progress', { 'aria-hidden': 'true' }));
      waiting.append(row);
      queue = queue.then(() => upload(file, row));
    }
  }

  async function upload(file, row) {
    try {
      await uploadDocument(file);
      row.remove();
      say(documents.notice, 'documents.uploaded', { name: file.name });
      await documents.refresh();
    } catch (error) {
      fail(file, row, Problem.from(error));
    }
  }

  // The failure stays until it is retried or dismissed: nothing is lost unseen.
  function fail(file, row, problem) {
    const retry = () => {
      row.remove();
      add([file]);
      byId('add').focus();
    };
    const dismiss = element('button', {
      type: 'button',
      class: 'plain',
      click: () => {
        row.remove();
        byId('add').focus();
      },
    }, icon('close'));
    label(dismiss, 'documents.dismiss', { name: file.name });
    const title = say(element('p', { class: 'upload-name', dir: 'auto' }), 'documents.failed', { name: file.name });
    row.replaceChildren(element('div', { class: 'upload-head' }, title, dismiss), problemBox(problem, retry));
    say(documents.notice, 'documents.failed', { name: file.name });
  }

  byId('add').addEventListener('click', () => picker.click());
  picker.addEventListener('change', () => {
    add([...picker.files]);
    picker.value = '';
  });
  startDrop((files) => {
    reveal();
    add(files);
  });
}

function startDrop(add) {
  const veil = byId('drop');
  const carriesFiles = (event) => event.dataTransfer?.types.includes('Files');
  // Enter and leave fire for every element passed over; the veil lifts when none is left.
  let depth = 0;
  const show = () => { veil.hidden = depth === 0; };
  document.addEventListener('dragenter', (event) => {
    if (!carriesFiles(event)) return;
    depth += 1;
    show();
  });
  document.addEventListener('dragleave', (event) => {
    if (!carriesFiles(event)) return;
    depth = Math.max(depth - 1, 0);
    show();
  });
  document.addEventListener('dragover', (event) => {
    if (carriesFiles(event)) event.preventDefault();
  });
  document.addEventListener('drop', (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    depth = 0;
    show();
    add([...event.dataTransfer.files]);
  });
}
