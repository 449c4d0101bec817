// What one does with agents: every verb asks the gateway by way of JupyterLab's own server.

import { element } from './dom.js';
import { Following } from './following.js';

const ENDED_WELL = 'completed';

export class Desk {
  constructor(lab, app, tracker, { drive, icon, dialogs }) {
    Object.assign(this, { lab, app, tracker, drive, icon, dialogs });
    this.settings = lab.ServerConnection.makeSettings();
    this.draft = new RegExp(`^${drive}/([a-z0-9_-]+)/([a-z0-9_-]+)\\.ipynb$`);
    this.inside = new RegExp(`^${drive}/([a-z0-9_-]+)/([a-z0-9_-]+)(\\.ipynb$|/)`);
    this.changed = new Set();
    this.following = new Following(this);
  }

  // Asking

  async ask(path, { query, body, as = 'json' } = {}) {
    return (await this.answer(path, { query, body }))[as]();
  }

  async answer(path, { query = {}, body } = {}) {
    const { URLExt, ServerConnection } = this.lab;
    const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
    const url = URLExt.join(this.settings.baseUrl, 'workbench', path) + '?' + new URLSearchParams(given);
    const asked = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const answer = await ServerConnection.makeRequest(url, asked, this.settings);
    if (answer.ok) return answer;
    const said = await answer.json().catch(() => ({}));
    const error = new Error(said.message || `The server answered ${answer.status}.`);
    throw Object.assign(error, { status: answer.status, code: said.code, details: said.details || {} });
  }

  gateway(path, asked) {
    return this.ask(`gateway/${path}`, asked);
  }

  // Each line of an answer, as JSON, as soon as it is there.
  async lines(path, heed) {
    const answer = await this.answer(path);
    let rest = '';
    for await (const piece of pieces(answer.body.pipeThrough(new TextDecoderStream()))) {
      const whole = (rest + piece).split('\n');
      rest = whole.pop();
      whole.filter(Boolean).forEach(line => heed(JSON.parse(line)));
    }
  }

  // Which agent is meant

  draftAt(path) {
    const found = this.draft.exec(path || '');
    return found && `${found[1]}/${found[2]}`;
  }

  // The agent of the notebook in front, be it a draft, a version or a run.
  front() {
    const found = this.inside.exec(this.app.shell.currentWidget?.context?.path || '');
    return found && `${found[1]}/${found[2]}`;
  }

  // Opening

  openDraft(agent) {
    return this.open(`${this.drive}/${agent}.ipynb`);
  }

  // A run's notebook is called by when and how it ended; the id is the end of its name.
  openRun(run) {
    return this.told(async () => {
      const shelf = `${this.drive}/${run.agent}/${run.test ? 'tests' : 'runs'}`;
      const { content } = await this.app.serviceManager.contents.get(shelf);
      const found = content.find(item => item.path.endsWith(`${run.id}.ipynb`));
      await this.open(found ? found.path : `${shelf}/${run.id}.ipynb`);
    });
  }

  open(path) {
    return this.app.commands.execute('docmanager:open', { path, factory: 'Notebook' });
  }

  // Changing

  async make(starter) {
    await this.told(async () => {
      const { items } = await this.ask('new');
      const wish = await this.dialogs.newAgent(items, starter);
      if (!wish) return;
      const made = await this.ask('new', { body: wish });
      await this.open(made.path);
      this.tell();
    });
  }

  async run(agent, test) {
    agent = agent || this.front();
    await this.told(async () => {
      await this.save(agent);
      const about = await this.gateway(`agents/${agent}/about`);
      const parameters = await this.dialogs.parameters(about, test);
      if (!parameters) return;
      const asked = { parameters, test, ...(test && about.writable ? { version: 'draft' } : {}) };
      await this.follow(await this.gateway(`agents/${agent}/runs`, { body: asked }));
    });
  }

  async follow(run) {
    const { Notification } = this.lab;
    const verb = run.test ? 'Testing' : 'Running';
    const stop = { label: 'Cancel', callback: event => { event.preventDefault(); this.cancel(run); } };
    const id = Notification.emit(`${verb} ${run.agent} …`, 'in-progress', { autoClose: false, actions: [stop] });
    this.tell();
    try {
      run = await this.following.ended(run);
    } catch (error) {
      Notification.update({ id, message: error.message, type: 'error', autoClose: false, actions: [] });
      return;
    }
    const well = run.status === ENDED_WELL;
    Notification.update({
      id, message: outcome(run), type: well ? 'success' : 'error', autoClose: well ? 8000 : false,
      actions: [{ label: 'Open the run', callback: () => this.openRun(run) }],
    });
    this.tell();
  }

  cancel(run) {
    return this.told(() => this.gateway(`runs/${run.id}/cancel`, { body: {} }));
  }

  async publish(agent) {
    agent = agent || this.front();
    await this.told(async () => {
      await this.save(agent);
      const about = await this.gateway(`agents/${agent}/about`);
      const wish = await this.dialogs.publication(about);
      if (!wish) return;
      const { Notification } = this.lab;
      const id = Notification.emit(`Publishing ${agent}: its cases run first …`, 'in-progress', { autoClose: false });
      try {
        const version = await this.gateway(`agents/${agent}/versions`, { body: wish });
        Notification.update({
          id, message: `${agent} ${version.version} is published.`, type: 'success', autoClose: 8000,
        });
      } catch (error) {
        Notification.update({ id, message: `Not published. ${error.message}`, type: 'error', autoClose: false });
      }
      this.tell();
    });
  }

  async compare(agent) {
    agent = agent || this.front();
    await this.told(async () => {
      await this.save(agent);
      const about = await this.gateway(`agents/${agent}/about`);
      const version = about.current_version;
      if (!version) throw new Error(`${agent} has no version yet to compare its draft with.`);
      const query = { from: version, to: 'draft', format: 'html' };
      const page = await this.gateway(`agents/${agent}/compare`, { query, as: 'text' });
      const { MainAreaWidget, Widget } = this.lab;
      // It holds what agents wrote: it may load nothing, run nothing and reach nothing here.
      const frame = element('iframe', { srcdoc: page, title: `${agent}: ${version} and draft` });
      frame.setAttribute('sandbox', '');
      // The page is light or dark as its frame is.
      frame.style.colorScheme = document.body.dataset.jpThemeLight === 'false' ? 'dark' : 'light';
      const tab = new MainAreaWidget({ content: new Widget({ node: element('div', {}, frame) }) });
      tab.id = `workbench-compare-${Date.now()}`;
      tab.addClass('wbl-compare');
      tab.toolbar.hide();
      Object.assign(tab.title, { label: `Compare ${about.agent_name}`, caption: `${agent}: ${version} and draft`, icon: this.icon, closable: true });
      this.app.shell.add(tab, 'main');
      this.app.shell.activateById(tab.id);
    });
  }

  // What is tested or published is what is on the screen.
  async save(agent) {
    const path = `${this.drive}/${agent}.ipynb`;
    const open = this.tracker.find(notebook => notebook.context.path === path);
    if (open?.context.model.dirty) await open.context.save();
    if (open?.context.model.dirty) throw new Error(`The draft of ${agent} could not be saved.`);
  }

  // Being heard

  tell() {
    for (const heed of this.changed) heed();
  }

  async told(act) {
    try {
      await act();
    } catch (error) {
      this.lab.Notification.error(error.message, { autoClose: false });
    }
  }
}

export function outcome(run) {
  const what = run.test ? 'Test of' : 'Run of';
  if (run.status === ENDED_WELL) return `${what} ${run.agent} completed in ${seconds(run)}.`;
  const why = run.error?.message ? `: ${run.error.message}` : '.';
  return `${what} ${run.agent} ${run.status === 'cancelled' ? 'was cancelled' : 'failed'}${why}`;
}

export function seconds(run) {
  const taken = (run.execution_time_ms || 0) / 1000;
  return taken < 10 ? `${taken.toFixed(1)} s` : `${Math.round(taken)} s`;
}

// Not every browser can go through a stream by itself.
async function* pieces(stream) {
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}
