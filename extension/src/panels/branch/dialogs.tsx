/**
 * What is asked before something is done.
 */
import { Dialog, showDialog } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import React, { ReactNode } from 'react';

/** A form in a dialog. */
class Form<T> extends ReactWidget implements Dialog.IBodyWidget<T> {
  constructor(
    private _value: T,
    private readonly _draw: (
      value: T,
      change: (part: Partial<T>) => void
    ) => JSX.Element
  ) {
    super();
    this.addClass('jp-Workbench-ask');
  }

  getValue(): T {
    return this._value;
  }

  protected override render(): JSX.Element {
    return this._draw(this._value, part => {
      this._value = { ...this._value, ...part };
      this.update();
    });
  }
}

export interface IStart {
  readonly name: string;
  /** Empty for where one is. */
  readonly base: string;
}

/** Ask what a new branch is to be called and where it begins; null if it is called off. */
export async function askStart(
  asked: IStart,
  branches: readonly string[],
  here: string,
  trans: TranslationBundle
): Promise<IStart | null> {
  const body = new Form<IStart>(asked, ({ name, base }, change) => (
    <>
      <label>
        {trans.__('Name')}
        <input
          className="jp-mod-styled"
          value={name}
          placeholder="exp/more-trees"
          spellCheck={false}
          onChange={event => change({ name: event.target.value })}
        />
      </label>
      <label>
        {trans.__('From')}
        <select value={base} onChange={event => change({ base: event.target.value })}>
          <option value="">{trans.__('where I am (%1)', here)}</option>
          {branches.map(branch => (
            <option key={branch} value={branch}>
              {branch}
            </option>
          ))}
        </select>
      </label>
      <p className="jp-Workbench-askHint">
        {trans.__('Work that is not committed comes along.')}
      </p>
    </>
  ));
  const { button, value } = await showDialog({
    title: trans.__('Start a branch'),
    body,
    focusNodeSelector: 'input',
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.okButton({ label: trans.__('Start') })
    ]
  });
  return button.accept && value?.name.trim()
    ? { ...value, name: value.name.trim() }
    : null;
}

export interface ILeaving {
  readonly work: 'keep' | 'carry';
  readonly save: boolean;
}

/** Ask what becomes of what isn't committed and of what isn't saved; null if it is called off. */
export async function askLeaving(
  title: string,
  go: { readonly label: string; readonly labelSaving: string },
  unsaved: readonly string[],
  kept: { readonly branch: string; readonly changes: number } | null,
  trans: TranslationBundle
): Promise<ILeaving | null> {
  const body = new Form<{ work: 'keep' | 'carry' }>(
    { work: 'keep' },
    (value, change) => (
      <>
        {unsaved.length > 0 && (
          <Unsaved paths={unsaved}>
            {trans._n(
              'One open document has changes that are not saved:',
              '%1 open documents have changes that are not saved:',
              unsaved.length,
              unsaved.length
            )}
          </Unsaved>
        )}
        {kept !== null && (
          <fieldset>
            <legend>
              {kept.changes
                ? trans._n(
                    'One file is not committed',
                    '%1 files are not committed',
                    kept.changes,
                    kept.changes
                  )
                : trans.__('Work that is not committed')}
            </legend>
            {(['keep', 'carry'] as const).map(work => (
              <label key={work} className="jp-Workbench-answer">
                <input
                  type="radio"
                  name="jp-Workbench-work"
                  checked={value.work === work}
                  onChange={() => change({ work })}
                />
                {work === 'keep'
                  ? trans.__(
                      'Keep it with %1: it is back when you come back',
                      kept.branch
                    )
                  : trans.__('Take it along')}
              </label>
            ))}
          </fieldset>
        )}
      </>
    )
  );
  const { button, value } = await showDialog({
    title,
    body,
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      ...(unsaved.length
        ? [
            Dialog.createButton({
              label: trans.__('Keep unsaved'),
              actions: ['leave']
            }),
            Dialog.okButton({ label: go.labelSaving, actions: ['save'] })
          ]
        : [Dialog.okButton({ label: go.label })])
    ],
    defaultButton: unsaved.length ? 2 : 1
  });
  return button.accept
    ? { work: value?.work ?? 'keep', save: button.actions.includes('save') }
    : null;
}

function Unsaved(props: {
  readonly paths: readonly string[];
  readonly children: ReactNode;
}): JSX.Element {
  return (
    <>
      <p>{props.children}</p>
      <ul className="jp-Workbench-askPaths">
        {props.paths.map(path => (
          <li key={path}>{path}</li>
        ))}
      </ul>
    </>
  );
}

/** Ask whether to go on with what takes something away. */
export async function askSure(
  title: string,
  text: string,
  label: string,
  trans: TranslationBundle
): Promise<boolean> {
  const { button } = await showDialog({
    title,
    body: text,
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.warnButton({ label })
    ],
    defaultButton: 0
  });
  return button.accept;
}
