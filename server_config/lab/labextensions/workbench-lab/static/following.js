// Runs under way: how far each of them is, told as it happens.

const AWAY_SECONDS = 2;
const WAIT_SECONDS = 20;

export class Following {
  constructor(desk) {
    this.desk = desk;
    this.live = new Map();
    this.moved = new Set();
  }

  // How far a run is: `done` cells `of` so many, what it is `doing`; undefined if nobody follows it.
  progress(run) {
    return this.live.get(run.id)?.progress;
  }

  // The run once it has ended; whoever asks again meanwhile waits for the same.
  ended(run) {
    if (!this.live.has(run.id)) {
      const progress = { done: 0, of: 0, doing: '' };
      const ended = this.followed(run, progress).finally(() => this.live.delete(run.id));
      this.live.set(run.id, { progress, ended });
    }
    return this.live.get(run.id).ended;
  }

  // A gateway that is away meanwhile may come back.
  async followed(run, progress) {
    while (!run.completed_at) {
      try {
        Object.assign(progress, { done: 0, of: 0, doing: '' });
        await this.desk.lines(`events/${run.id}`, event => this.heed(progress, event));
        run = await this.desk.gateway(`runs/${run.id}`, { query: { wait: WAIT_SECONDS } });
      } catch (error) {
        if (error.status !== 503) throw error;
        await new Promise(resolve => setTimeout(resolve, AWAY_SECONDS * 1000));
      }
    }
    return run;
  }

  heed(progress, event) {
    if (event.type === 'cell.started') Object.assign(progress, { of: event.of, doing: `cell ${progress.done + 1} of ${event.of}` });
    else if (event.type === 'cell.finished') progress.done += 1;
    else if (event.type === 'progress') progress.doing = event.message || progress.doing;
    else if (event.type === 'run.retrying') Object.assign(progress, { done: 0, doing: 'begun again' });
    else return;
    for (const heed of this.moved) heed();
  }
}
