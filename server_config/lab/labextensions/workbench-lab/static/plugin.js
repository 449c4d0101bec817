// The workbench in JupyterLab: its commands, its tile, its sidebar and its page.

import { Desk } from './desk.js';
import { Dialogs } from './dialogs.js';
import { Page } from './page.js';
import { Sidebar } from './sidebar.js';

const PACKAGES = [
  '@jupyterlab/application', '@jupyterlab/apputils', '@jupyterlab/coreutils', '@jupyterlab/launcher',
  '@jupyterlab/notebook', '@jupyterlab/services', '@jupyterlab/ui-components', '@lumino/widgets',
];
const CATEGORY = 'Agents';
const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">' +
  '<g class="jp-icon3" fill="#616161"><path d="M5 3h10l4 4v5h-2V8h-3V5H7v14h5v2H5z"/>' +
  '<path d="M14 13.2v8.6a.7.7 0 0 0 1.1.6l6.3-4.3a.7.7 0 0 0 0-1.2l-6.3-4.3a.7.7 0 0 0-1.1.6z"/>' +
  '</g></svg>';

// What each command does to the agent of the notebook in front, or to the one that is named.
const COMMANDS = [
  ['workbench:new', 'New Agent…', 'Make an agent from a starter', (desk, args) => desk.make(args.starter)],
  ['workbench:test', 'Test Agent…', 'Save the draft and run it as a test', (desk, args) => desk.run(args.agent, true)],
  ['workbench:run', 'Run Agent…', 'Run the published version', (desk, args) => desk.run(args.agent, false)],
  ['workbench:publish', 'Publish Agent…', 'Run the agent’s cases and make its draft a version',
    (desk, args) => desk.publish(args.agent)],
  ['workbench:compare', 'Compare Agent’s Draft with Its Version', 'What is different, cell by cell',
    (desk, args) => desk.compare(args.agent)],
];

export async function plugin(shared) {
  const lab = Object.assign({}, ...(await Promise.all(PACKAGES.map(shared))));
  const icon = new lab.LabIcon({ name: 'workbench:icon', svgstr: ICON });
  return {
    id: 'workbench-lab:plugin',
    autoStart: true,
    requires: [lab.INotebookTracker],
    optional: [lab.ILauncher, lab.ICommandPalette, lab.ILayoutRestorer],
    activate: (app, tracker, launcher, palette, restorer) => {
      dress();
      const drive = lab.PageConfig.getOption('workbenchDrive') || 'agents';
      const page = new Page(lab, app, tracker, { drive, icon });
      const desk = new Desk(lab, app, tracker, { drive, icon, dialogs: new Dialogs(lab) });
      const sidebar = new Sidebar(lab, desk, { icon });
      app.shell.add(sidebar.widget, 'left', { rank: 101 });
      if (restorer) restorer.add(sidebar.widget, sidebar.widget.id);
      addCommands(app, desk, page, { icon, launcher, palette });
      tracker.widgetAdded.connect((_, notebook) => addButtons(lab, app, desk, notebook));
      app.restored.then(() => {
        if (!page.isWanted()) return;
        app.shell.activateById(sidebar.widget.id);
        app.commands.execute('workbench:open');
      });
    },
  };
}

function addCommands(app, desk, page, { icon, launcher, palette }) {
  app.commands.addCommand('workbench:open', {
    label: 'Agent Workbench', caption: 'Find, run and compare agents', icon, execute: () => page.open(),
  });
  for (const [id, label, caption, act] of COMMANDS) {
    app.commands.addCommand(id, {
      label, caption, icon: id === 'workbench:new' ? icon : undefined,
      isEnabled: args => id === 'workbench:new' || Boolean(args.agent || desk.front()),
      execute: args => act(desk, args),
    });
  }
  if (launcher) {
    launcher.add({ command: 'workbench:open', category: CATEGORY, rank: 0 });
    launcher.add({ command: 'workbench:new', category: CATEGORY, rank: 1 });
  }
  for (const command of ['workbench:open', ...COMMANDS.map(([id]) => id)]) {
    if (palette) palette.addItem({ command, category: CATEGORY });
  }
}

// Buttons in the toolbar of a draft: what one does with an agent while writing it.
function addButtons(lab, app, desk, notebook) {
  notebook.context.ready.then(() => {
    const agent = desk.draftAt(notebook.context.path);
    if (!agent || !notebook.context.contentsModel.writable) return;
    for (const [name, label] of [['publish', 'Publish'], ['test', 'Test']]) {
      const command = `workbench:${name}`;
      const button = new lab.ToolbarButton({
        label, tooltip: app.commands.caption(command), className: `wbl-tool wbl-tool-${name}`,
        onClick: () => app.commands.execute(command, { agent: desk.draftAt(notebook.context.path) }),
      });
      notebook.toolbar.insertAfter('cellType', command, button);
    }
  });
}

function dress() {
  const link = document.createElement('link');
  link.rel = 'stylesheet';
  link.href = new URL('workbench.css', import.meta.url);
  document.head.append(link);
}
