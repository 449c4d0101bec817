// The page of the workbench: a notebook of panels that is run at once and shows no code.

export class Page {
  constructor(lab, app, tracker, { drive, icon }) {
    this.lab = lab;
    this.app = app;
    this.icon = icon;
    this.path = `${drive}/workbench.ipynb`;
    tracker.widgetAdded.connect((_, notebook) => this.dress(notebook));
    tracker.forEach(notebook => this.dress(notebook));
  }

  // Whether nobody asked for anything else: no document by the address, none left open last time.
  isWanted() {
    const asked = /\/(tree|doc)\//.test(window.location.pathname);
    const open = [...this.app.shell.widgets('main')].filter(widget => widget.context);
    return !asked && open.length === 0;
  }

  open() {
    return this.app.commands.execute('docmanager:open', { path: this.path, factory: 'Notebook' });
  }

  async dress(notebook) {
    if (notebook.context.path !== this.path || notebook.hasClass('wbl-page')) return;
    notebook.addClass('wbl-page');
    notebook.addClass('wbl-mod-opening');
    notebook.toolbar.hide();
    await notebook.context.ready;
    // Its tab says so by its style: another label would be taken for a new name of the file.
    notebook.title.className += ' wbl-tab';
    notebook.title.icon = this.icon;
    // Running it is no edit: whoever closes the page is not asked where to save it.
    notebook.context.model.stateChanged.connect(model => { if (model.dirty) model.dirty = false; });
    await notebook.sessionContext.ready;
    try {
      await this.lab.NotebookActions.runAll(notebook.content, notebook.sessionContext);
    } finally {
      notebook.removeClass('wbl-mod-opening');
    }
  }
}
