// The sidebar: the agents, and what is to be done with the one in front.

import { seconds } from './desk.js';
import { element } from './dom.js';

const REST_SECONDS = 15;
const AWAY_SECONDS = 2;
const LONGEST_RESULT = 600;

export class Sidebar {
  constructor(lab, desk, { icon }) {
    this.desk = desk;
    this.state = { agents: [], more: false, away: '', loaded: false, about: null, runs: [] };
    this.widget = new lab.Widget();
    this.widget.id = 'workbench-sidebar';
    this.widget.addClass('wbl-side');
    Object.assign(this.widget.title, { icon, caption: 'Agents' });
    this.search = element('input', { type: 'search', placeholder: 'Find an agent', className: 'wbl-search' });
    this.search.setAttribute('aria-label', 'Find an agent');
    this.search.addEventListener('input', () => { clearTimeout(this.typing); this.typing = setTimeout(() => this.refresh(), 200); });
    this.banner = element('p', { className: 'wbl-away', hidden: true });
    this.banner.setAttribute('role', 'status');
    this.card = element('section', { className: 'wbl-front', hidden: true });
    this.list = element('div', { className: 'wbl-list' });
    this.widget.node.append(this.head(), this.banner, this.card, this.search, this.list);
    desk.changed.add(() => this.refresh());
    desk.following.moved.add(() => this.draw());
    desk.app.shell.currentChanged?.connect(() => this.refresh());
    this.refresh();
  }

  head() {
    const execute = command => () => this.desk.app.commands.execute(command);
    return element('header', { className: 'wbl-head' }, element('h2', {}, 'Agents'),
      button('Workbench', 'wbl-link', execute('workbench:open'), 'Open the workbench'),
      button('New', 'wbl-main', execute('workbench:new'), 'Make an agent from a starter'));
  }

  // Ask, show, and look again after a while: sooner when nobody answered.
  async refresh() {
    clearTimeout(this.waiting);
    const turn = (this.turn = (this.turn || 0) + 1);
    const found = await this.look();
    if (turn !== this.turn) return;
    Object.assign(this.state, found);
    this.follow();
    this.draw();
    const pause = this.state.away ? AWAY_SECONDS : REST_SECONDS;
    this.waiting = setTimeout(() => this.refresh(), pause * 1000);
  }

  async look() {
    const agent = this.desk.front();
    try {
      const [list, about, runs, tests] = await Promise.all([
        this.desk.gateway('agents', { query: { q: this.search.value.trim(), limit: 100 } }),
        agent && this.desk.gateway(`agents/${agent}/about`).catch(unlessAway),
        agent && this.desk.gateway(`agents/${agent}/runs`, { query: { limit: 4 } }).catch(unlessAway),
        agent && this.desk.gateway(`agents/${agent}/runs`, { query: { limit: 4, test: true } }).catch(unlessAway),
      ]);
      const all = [...(runs?.items || []), ...(tests?.items || [])];
      all.sort((a, b) => b.created_at.localeCompare(a.created_at));
      return { agents: list.items, more: Boolean(list.next_cursor), away: '', loaded: true, about, runs: all.slice(0, 4) };
    } catch (error) {
      return { away: error.status === 503 ? error.message : 'JupyterLab’s own server does not answer.' };
    }
  }

  // Runs that others have begun are followed as well.
  follow() {
    for (const run of this.state.runs.filter(one => !one.completed_at && !this.desk.following.progress(one))) {
      this.desk.following.ended(run).then(() => this.refresh(), () => {});
    }
  }

  // What is the same is not drawn again: a click that is under way would be lost.
  draw() {
    const minute = Math.floor(Date.now() / 60000);
    const live = this.state.runs.map(run => this.desk.following.progress(run));
    const shown = JSON.stringify([this.state, this.search.value, minute, live]);
    if (shown === this.shown) return;
    this.shown = shown;
    const { agents, away, loaded, more } = this.state;
    this.widget.node.classList.toggle('wbl-mod-away', Boolean(away));
    this.banner.hidden = !away;
    this.banner.textContent = away && `${away} It is looked for by itself.`;
    this.drawFront();
    const rows = agents.map(agent => this.row(agent));
    if (loaded && !rows.length) rows.push(this.emptiness());
    if (more) rows.push(element('p', { className: 'wbl-note' }, 'There are more: search for them.'));
    keepFocus(this.list, () => this.list.replaceChildren(...rows));
  }

  emptiness() {
    const words = this.search.value ? `No agent holds “${this.search.value}”.` : 'No agents yet. Make the first one.';
    return element('p', { className: 'wbl-note' }, words);
  }

  row(agent) {
    const address = `${agent.owner}/${agent.agent_name}`;
    const row = button('', 'wbl-row', () => this.desk.openDraft(address), `Open ${address}`);
    row.dataset.agent = address;
    row.toggleAttribute('aria-current', this.state.about?.id === agent.id);
    row.append(
      element('span', { className: 'wbl-line' }, element('b', {}, agent.agent_name), badge(agent)),
      element('small', {}, agent.description || `of ${agent.owner}`));
    return row;
  }

  drawFront() {
    const { about, runs } = this.state;
    this.card.hidden = !about;
    if (!about) return;
    const agent = `${about.owner}/${about.agent_name}`;
    const act = (command, text, name, off) => {
      const made = button(text, name, () => this.desk.app.commands.execute(command, { agent }), text);
      made.disabled = Boolean(off);
      return made;
    };
    const draft = about.writable;
    const verbs = element('div', { className: 'wbl-verbs' },
      ...(draft ? [act('workbench:test', 'Test', 'wbl-test')] : []),
      act('workbench:run', 'Run', 'wbl-run', !about.current_version),
      ...(draft ? [act('workbench:publish', 'Publish', 'wbl-publish', !(about.draft_differs || !about.current_version)),
        act('workbench:compare', 'Compare', 'wbl-compare-verb', !about.draft_differs)] : []));
    const shown = runs.map(run => this.run(run));
    keepFocus(this.card, () => this.card.replaceChildren(
      element('div', { className: 'wbl-line' }, element('b', {}, about.agent_name), badge(about)),
      verbs, ...(shown.length ? [element('ul', { className: 'wbl-runs' }, ...shown)] : []), ...this.result(runs[0])));
  }

  run(run) {
    const open = button('', 'wbl-run-row', () => this.desk.openRun(run), 'Open the executed notebook');
    open.disabled = !run.completed_at;
    open.append(
      element('span', { className: 'wbl-dot' }), element('span', {}, word(run)),
      element('small', {}, run.completed_at ? `${seconds(run)} · ${ago(run.created_at)}` : ''));
    const item = element('li', {}, open);
    item.dataset.status = run.status;
    if (!run.completed_at) {
      item.append(button('Cancel', 'wbl-link', () => this.desk.cancel(run), 'Call the run off'));
      this.showProgress(item, this.desk.following.progress(run));
    }
    return item;
  }

  showProgress(item, progress) {
    if (!progress?.of) return;
    item.querySelector('small').textContent = progress.doing;
    const done = element('i', {});
    done.style.width = `${(100 * progress.done) / progress.of}%`;
    const bar = element('div', { className: 'wbl-bar' }, done);
    const says = { role: 'progressbar', 'aria-label': 'Cells', 'aria-valuenow': progress.done, 'aria-valuemax': progress.of };
    for (const [name, value] of Object.entries(says)) bar.setAttribute(name, value);
    item.append(bar);
  }

  result(run) {
    if (!run?.completed_at) return [];
    const bad = run.status !== 'completed';
    const said = bad ? run.error?.message || run.reason : JSON.stringify(run.result, null, 1);
    if (!said || said === 'null') return [];
    const text = said.length > LONGEST_RESULT ? `${said.slice(0, LONGEST_RESULT)} …` : said;
    return [element('pre', { className: bad ? 'wbl-result wbl-mod-bad' : 'wbl-result' }, text)];
  }
}

function unlessAway(error) {
  if (error.status === 503) throw error;
  return null;
}

function badge(agent) {
  const version = agent.current_version;
  const [text, stage] = !version ? ['draft', 'draft'] : agent.draft_differs ? ['edited', 'edited'] : [version, agent.stage];
  const made = element('span', { className: 'wbl-badge' }, text);
  made.title = stage === 'edited' ? `The draft is newer than version ${version}` : `${agent.stage} ${version || ''}`;
  made.dataset.stage = stage;
  return made;
}

function word(run) {
  return run.test ? `test ${run.status}` : run.status;
}

function ago(moment) {
  const seconds = Math.max(0, (Date.now() - Date.parse(moment)) / 1000);
  const words = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'narrow' });
  for (const [unit, size] of [['day', 86400], ['hour', 3600], ['minute', 60]]) {
    if (seconds >= size) return words.format(-Math.floor(seconds / size), unit);
  }
  return 'now';
}

function button(text, className, act, tooltip) {
  const made = element('button', { type: 'button', className, title: tooltip }, text);
  made.addEventListener('click', act);
  return made;
}

// Drawing anew takes nobody's place in a list away.
function keepFocus(parent, draw) {
  const place = [...parent.querySelectorAll('button')].indexOf(document.activeElement);
  draw();
  if (place >= 0) parent.querySelectorAll('button')[place]?.focus();
}
