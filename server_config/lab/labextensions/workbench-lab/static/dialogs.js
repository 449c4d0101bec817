// What is asked before something is done.

import { element } from './dom.js';

export class Dialogs {
  constructor(lab) {
    this.lab = lab;
    this.given = new Map();
  }

  // Name and starter of a new agent; undefined if it was thought better of.
  newAgent(starters, chosen) {
    const name = element('input', { className: 'jp-mod-styled', placeholder: 'daily-digest', required: true });
    name.setAttribute('aria-label', 'Name');
    const options = starters.map(starter => {
      const choice = element('input', { type: 'radio', name: 'wbl-starter', value: starter.name });
      choice.checked = starter.name === (chosen || starters[0].name);
      return element('label', { className: 'wbl-choice' }, choice,
        element('span', {}, element('b', {}, title(starter.name)), element('small', {}, starter.description)));
    });
    const form = element('div', { className: 'wbl-form' },
      field('Name', name, 'Small letters, digits, - and _'),
      element('fieldset', {}, element('legend', {}, 'Begin with'), ...options));
    return this.asked('New agent', 'Create', form, () => ({
      name: name.value, starter: form.querySelector('[name=wbl-starter]:checked')?.value || '',
    }));
  }

  // What the agent is to be given; at once if it takes nothing.
  async parameters(about, test) {
    const fields = about.parameters.filter(parameter => parameter.name !== 'test')
      .map(parameter => new Field(parameter, this.given.get(about.id)?.[parameter.name]));
    if (!fields.length) return {};
    const form = element('div', { className: 'wbl-form' }, ...fields.map(one => one.node));
    const ask = test ? `Test ${about.agent_name}` : `Run ${about.agent_name} ${about.current_version}`;
    const values = await this.asked(ask, test ? 'Test' : 'Run', form, () =>
      Object.fromEntries(fields.filter(one => one.isGiven()).map(one => [one.name, one.value()])));
    if (values) this.given.set(about.id, values);
    return values;
  }

  publication(about) {
    const version = element('input', { className: 'jp-mod-styled', placeholder: 'the next one' });
    const changelog = element('textarea', { className: 'jp-mod-styled', rows: 3 });
    const cases = about.cases.length
      ? `${about.cases.length} ${about.cases.length === 1 ? 'case runs' : 'cases run'} first; one that fails keeps it from being published.`
      : 'It has no cases of its own, so it is tried with its defaults first.';
    const form = element('div', { className: 'wbl-form' }, element('p', {}, cases),
      field('Version', version, about.current_version ? `Now ${about.current_version}` : 'The first'),
      field('What is new', changelog));
    return this.asked(`Publish ${about.agent_name}`, 'Publish', form, () => ({
      ...(version.value.trim() && { version: version.value.trim() }),
      ...(changelog.value.trim() && { changelog: changelog.value.trim() }),
    }));
  }

  async asked(title, yes, node, read) {
    const { Dialog, Widget, showDialog } = this.lab;
    const body = Object.assign(new Widget({ node }), { getValue: read });
    const answer = await showDialog({
      title, body, buttons: [Dialog.cancelButton(), Dialog.okButton({ label: yes })],
      focusNodeSelector: 'input, textarea, select',
    });
    return answer.button.accept ? answer.value : undefined;
  }
}

// One parameter of an agent, to be filled in.
class Field {
  constructor(parameter, before) {
    this.name = parameter.name;
    this.kind = kindOf(parameter.schema);
    this.required = parameter.required;
    const start = before ?? parameter.default;
    this.input = this.makeInput(parameter, start);
    this.node = field(parameter.name, this.input, parameter.help, parameter.required);
  }

  makeInput({ schema }, start) {
    const common = { className: 'jp-mod-styled' };
    if (this.kind === 'choice') {
      const choices = schema.enum.map(value => element('option', { value: JSON.stringify(value) }, String(value)));
      const select = element('select', common, ...choices);
      if (start !== undefined && start !== null) select.value = JSON.stringify(start);
      return select;
    }
    if (this.kind === 'boolean') return element('input', { type: 'checkbox', checked: Boolean(start) });
    const none = start === undefined || (start === null && this.required);
    if (this.kind === 'json') {
      return element('textarea', { ...common, rows: 2, value: none ? '' : JSON.stringify(start), spellcheck: false });
    }
    const type = this.kind === 'string' ? 'text' : 'number';
    const step = this.kind === 'number' ? 'any' : undefined;
    return element('input', { ...common, type, ...(step && { step }), value: none ? '' : String(start) });
  }

  isGiven() {
    return this.kind === 'boolean' || this.kind === 'string' ? !(this.required && !this.input.value) : this.input.value !== '';
  }

  value() {
    if (this.kind === 'boolean') return this.input.checked;
    if (this.kind === 'string') return this.input.value;
    // What is no JSON is left to the gateway, which says what is wrong with it.
    try { return JSON.parse(this.input.value); } catch { return this.input.value; }
  }
}

function kindOf(schema) {
  if (schema.enum) return 'choice';
  return ['boolean', 'string', 'integer', 'number'].includes(schema.type) ? schema.type : 'json';
}

function field(label, input, help, required) {
  const words = required ? [label, element('i', { title: 'required' }, ' *')] : [label];
  return element('label', { className: input.type === 'checkbox' ? 'wbl-field wbl-mod-check' : 'wbl-field' },
    element('span', {}, ...words), input, help ? element('small', {}, help) : '');
}

function title(name) {
  const words = name.replace(/[-_]/g, ' ');
  return words[0].toUpperCase() + words.slice(1);
}
