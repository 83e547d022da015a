// Panels: beside the conversation where there is room, dialogs over it where there is not.

import { byId } from './dom.js';

// The same widths stand in panels.css.
const ROOM_FOR_PASSAGE = matchMedia('(min-width: 48rem)');
const ROOM_FOR_DOCUMENTS = matchMedia('(min-width: 64rem)');

/** A dialog that stands beside the page where there is room. */
export class SidePanel {
  #dialog;
  #opener = null;
  #moving = false;
  #listeners = [];

  constructor(dialog, closeButton) {
    this.#dialog = dialog;
    closeButton.addEventListener('click', () => this.close());
    dialog.addEventListener('keydown', (event) => {
      // Only a modal dialog closes on Escape by itself.
      if (event.key === 'Escape' && !dialog.matches(':modal')) this.close();
    });
    dialog.addEventListener('close', () => {
      if (this.#moving) return;
      for (const listener of this.#listeners) listener();
      this.#opener?.focus();
    });
    ROOM_FOR_PASSAGE.addEventListener('change', () => {
      if (!dialog.open) return;
      // A modal dialog cannot become an ordinary one while it is open.
      this.#moving = true;
      dialog.addEventListener('close', () => { this.#moving = false; }, { once: true });
      dialog.close();
      this.#show();
    });
  }

  open(opener) {
    this.#opener = opener;
    if (!this.#dialog.open) this.#show();
  }

  close() {
    this.#dialog.close();
  }

  onClose(listener) {
    this.#listeners.push(listener);
  }

  #show() {
    if (ROOM_FOR_PASSAGE.matches) this.#dialog.show();
    else this.#dialog.showModal();
  }
}

/** Keeps the documents in their column or, on a narrow page, in a dialog behind a button. */
export function startDocumentsPanel() {
  const panel = byId('documents');
  const column = byId('documents-column');
  const dialog = byId('documents-dialog');
  const place = () => {
    if (ROOM_FOR_DOCUMENTS.matches) {
      dialog.close();
      column.append(panel);
    } else {
      dialog.append(panel);
    }
  };
  ROOM_FOR_DOCUMENTS.addEventListener('change', place);
  byId('documents-close').addEventListener('click', () => dialog.close());
  place();
  return {
    open() {
      if (ROOM_FOR_DOCUMENTS.matches) byId('documents-title').focus();
      else if (!dialog.open) dialog.showModal();
    },
  };
}
