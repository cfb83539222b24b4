/**
 * A question that takes a reason.
 */
import { Dialog, ReactWidget } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

export interface IQuestion {
  readonly title: string;
  readonly text: string;
  /** What the reason is called; without it none is asked for. */
  readonly label?: string;
  readonly buttons: readonly {
    readonly label: string;
    readonly isDangerous?: boolean;
  }[];
}

/** Which of the buttons was pressed, and what was written. */
export interface IAnswer {
  readonly button: number;
  readonly text: string;
}

class Body extends ReactWidget implements Dialog.IBodyWidget<string> {
  constructor(private readonly _question: IQuestion) {
    super();
    this.addClass('jp-Workbench-ask');
  }

  getValue(): string {
    return this.node.querySelector('textarea')?.value.trim() ?? '';
  }

  protected override render(): JSX.Element {
    const { text, label } = this._question;
    return (
      <>
        <p>{text}</p>
        {label && (
          <label>
            <span>{label}</span>
            <textarea rows={2} maxLength={5000} />
          </label>
        )}
      </>
    );
  }
}

/** Ask; null if it was called off. */
export async function askForReason(
  trans: TranslationBundle,
  question: IQuestion
): Promise<IAnswer | null> {
  const buttons = question.buttons.map(({ label, isDangerous }) =>
    isDangerous ? Dialog.warnButton({ label }) : Dialog.okButton({ label })
  );
  const result = await new Dialog<string>({
    title: question.title,
    body: new Body(question),
    buttons: [Dialog.cancelButton({ label: trans.__('Cancel') }), ...buttons],
    defaultButton: question.label ? 0 : buttons.length
  }).launch();
  const button = question.buttons.findIndex(one => one.label === result.button.label);
  return result.button.accept && button >= 0
    ? { button, text: result.value ?? '' }
    : null;
}
