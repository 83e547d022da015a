// Starts the page: composes its parts, holds no rule of its own.

import { startConversation } from './conversation.js';
import { startDocuments } from './documents.js';
import { byId } from './dom.js';
import { startKey } from './key.js';
import { startLanguage } from './language.js';
import { SidePanel, startDocumentsPanel } from './panels.js';
import { startPassage } from './passage.js';
import { startUploads } from './uploads.js';

startLanguage([byId('language-en'), byId('language-ur')]);
startKey();
const panel = startDocumentsPanel();
const documents = startDocuments();
startUploads(documents, panel.open);
startConversation(startPassage(new SidePanel(byId('passage'), byId('passage-close'))));
for (const button of document.querySelectorAll('[data-opens="documents"]')) {
  button.addEventListener('click', panel.open);
}
document.documentElement.dataset.started = '';
