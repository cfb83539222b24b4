/**
 * Giving a version an alias: the dialog shows what speaks for it before anything moves.
 */
import { Dialog, Notification, ReactWidget } from '@jupyterlab/apputils';
import { Message } from '@lumino/messaging';
import React from 'react';

import { api, ask } from '../../api/client';
import { IContext } from '../../plugin';
import { READING_TIME } from '../../ui/saying';
import type { IVersionArgs } from './commands';
import { IWish, Promotion } from './promotion';
import { askForReason } from './reason';

class Body extends ReactWidget implements Dialog.IBodyWidget<IWish> {
  constructor(
    private readonly _context: IContext,
    private readonly _args: IVersionArgs,
    private readonly _changed: (wish: IWish) => void
  ) {
    super();
    this.addClass('jp-Workbench-promotion');
    this.node.tabIndex = -1;
  }

  getValue(): IWish {
    return this._wish;
  }

  protected override render(): JSX.Element {
    return (
      <Promotion
        context={this._context}
        args={this._args}
        onChange={wish => {
          this._wish = wish;
          this._changed(wish);
        }}
      />
    );
  }

  private _wish: IWish = { alias: '', reason: '', override: false, isReady: false };
}

/** A dialog whose button to go on does nothing until that is possible, nor does Enter. */
class PromotionDialog extends Dialog<IWish> {
  constructor(context: IContext, args: IVersionArgs) {
    const { trans } = context;
    super({
      title: trans.__('Promote %1 version %2', args.model, args.version),
      body: new Body(context, args, wish => this._update(wish)),
      buttons: [
        Dialog.cancelButton({ label: trans.__('Cancel') }),
        Dialog.okButton({ label: trans.__('Promote') })
      ]
    });
    this.addClass('jp-Workbench-dialog');
    this._update(this._wish);
  }

  override resolve(index?: number): void {
    if (index === 0 || this._wish.isReady) {
      super.resolve(index);
    }
  }

  /** The button that the keyboard would be given does nothing yet, and can't take it. */
  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.node.querySelector<HTMLElement>('.jp-Workbench-promotion')?.focus();
  }

  private _update(wish: IWish): void {
    this._wish = wish;
    const button = this.node.querySelector<HTMLButtonElement>('.jp-mod-accept');
    if (button) {
      button.disabled = !wish.isReady;
      button.classList.toggle('jp-mod-warn', wish.override);
    }
  }

  private _wish: IWish = { alias: '', reason: '', override: false, isReady: false };
}

/** Ask what a version is to be promoted to, and do it. */
export async function promoteVersion(
  context: IContext,
  args: IVersionArgs
): Promise<void> {
  const { workbench, trans } = context;
  const { button, value } = await new PromotionDialog(context, args).launch();
  if (!button.accept || !value?.isReady) {
    return;
  }
  const { alias, reason, override } = value;
  const decision = await ask(
    api.POST('/models/{name}/versions/{version}/promotion', {
      params: {
        path: { name: args.model, version: args.version },
        query: { path: workbench.path }
      },
      body: { alias, reason, override }
    })
  );
  workbench.tell('models');
  Notification.success(
    trans.__('%1 version %2 is %3.', args.model, decision.version, alias),
    { autoClose: READING_TIME }
  );
}

/** Ask whether the gate's report is approved or refused, and record it. */
export async function approveVersion(
  { workbench, trans }: IContext,
  { model, version }: IVersionArgs
): Promise<void> {
  const answer = await askForReason(trans, {
    title: trans.__('Approve %1 version %2?', model, version),
    text: trans.__(
      'What its newest gate found is approved, or refused, under your name. It stays in the record; whoever thinks again can say so again.'
    ),
    label: trans.__('Comment'),
    buttons: [
      { label: trans.__('Refuse'), isDangerous: true },
      { label: trans.__('Approve') }
    ]
  });
  if (!answer) {
    return;
  }
  const refuse = answer.button === 0;
  const said = await ask(
    api.POST('/models/{name}/versions/{version}/approvals', {
      params: { path: { name: model, version }, query: { path: workbench.path } },
      body: { comment: answer.text, refuse }
    })
  );
  workbench.tell('models');
  Notification.success(
    refuse
      ? trans.__('%1 version %2: refused by %3.', model, version, said.decided_by)
      : trans.__('%1 version %2: approved by %3.', model, version, said.decided_by),
    { autoClose: READING_TIME }
  );
}
