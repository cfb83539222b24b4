/**
 * What an experiment begins with, asked in a dialog.
 */
import { Dialog, ReactWidget, showDialog } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';
import React, { useState } from 'react';

import { INotebookTemplate } from '../api/types';

/** Which template to copy, and what the copy is called. */
export interface IExperiment {
  readonly template: string;
  readonly name: string;
}

/** Ask; null if the user thinks better of it. */
export async function askExperiment(
  templates: readonly INotebookTemplate[],
  name: string,
  trans: TranslationBundle
): Promise<IExperiment | null> {
  const body = new Form(templates, name, trans);
  const { button, value } = await showDialog({
    title: trans.__('New Experiment'),
    body,
    buttons: [
      Dialog.cancelButton(),
      Dialog.okButton({ label: trans.__('Open the Notebook') })
    ],
    focusNodeSelector: 'input[type=text]'
  });
  if (!button.accept || !value?.template) {
    return null;
  }
  return { ...value, name: value.name.trim() || trans.__('experiment') };
}

class Form extends ReactWidget implements Dialog.IBodyWidget<IExperiment> {
  constructor(
    private readonly _templates: readonly INotebookTemplate[],
    name: string,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-Workbench-launch');
    this._value = { template: _templates[0]?.id ?? '', name };
  }

  getValue(): IExperiment {
    return this._value;
  }

  protected override render(): JSX.Element {
    return (
      <Fields
        templates={this._templates}
        first={this._value}
        changed={value => {
          this._value = value;
        }}
        trans={this._trans}
      />
    );
  }

  private _value: IExperiment;
}

function Fields(props: {
  readonly templates: readonly INotebookTemplate[];
  readonly first: IExperiment;
  readonly changed: (value: IExperiment) => void;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { templates, first, changed, trans } = props;
  const [value, setValue] = useState(first);
  const change = (part: Partial<IExperiment>): void => {
    const next = { ...value, ...part };
    setValue(next);
    changed(next);
  };
  return (
    <>
      <label className="jp-Workbench-launchName">
        {trans.__('What the notebook is called')}
        <input
          type="text"
          className="jp-mod-styled"
          required
          maxLength={100}
          placeholder={trans.__('more-trees')}
          value={value.name}
          onChange={event => change({ name: event.target.value })}
        />
      </label>
      <fieldset>
        <legend>{trans.__('Start from')}</legend>
        {templates.map(template => (
          <label key={template.id} className="jp-Workbench-template">
            <input
              type="radio"
              name="jp-Workbench-template"
              checked={template.id === value.template}
              onChange={() => change({ template: template.id })}
            />
            <span>
              <strong>{template.title}</strong>
              <small>{originOf(template, trans)}</small>
              {template.description && <p>{template.description}</p>}
            </span>
          </label>
        ))}
      </fieldset>
    </>
  );
}

function originOf(template: INotebookTemplate, trans: TranslationBundle): string {
  const name = template.id.slice(template.id.indexOf(':') + 1);
  return {
    template: trans.__('template %1', name),
    workbench: trans.__('comes with Workbench'),
    notebook: trans.__('copy of %1', `${name}.ipynb`)
  }[template.origin];
}
