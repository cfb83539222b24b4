/**
 * A word in the notebook's toolbar while its execution isn't linear.
 */
import { Dialog, showDialog } from '@jupyterlab/apputils';
import { CodeCellModel } from '@jupyterlab/cells';
import { NotebookPanel } from '@jupyterlab/notebook';
import { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import { CommandRegistry } from '@lumino/commands';
import { Throttler } from '@lumino/polling';
import React from 'react';

import { disorder, ICellRun } from './linear';

const PAUSE = 300;

/** Watches the cells of one notebook; it takes no room while they are in order. */
export class LinearityIndicator extends ReactWidget {
  constructor(
    private readonly _panel: NotebookPanel,
    private readonly _commands: CommandRegistry,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-Workbench-linearity');
    this.hide();
    void _panel.context.ready.then(() => {
      if (!this.isDisposed) {
        _panel.content.modelContentChanged.connect(this._onChanged, this);
        this._onChanged();
      }
    });
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._panel.content.modelContentChanged.disconnect(this._onChanged, this);
      this._later.dispose();
      super.dispose();
    }
  }

  protected override render(): JSX.Element {
    const reason = this._reason ?? '';
    const trans = this._trans;
    return (
      <button
        className="jp-Workbench-linearityButton"
        title={trans.__('Not run from top to bottom: %1', reason)}
        onClick={() => void this._explain()}
      >
        <span aria-hidden="true">⤮</span> {trans.__('not linear')}
      </button>
    );
  }

  private _onChanged(): void {
    void this._later.invoke().catch(() => undefined); // it is called off with the notebook
  }

  private _judge(): void {
    if (this.isDisposed) {
      return;
    }
    this._reason = disorder(runs(this._panel), this._trans);
    this.setHidden(this._reason === null);
    this.update();
  }

  private async _explain(): Promise<void> {
    const trans = this._trans;
    const { button } = await showDialog({
      title: trans.__('Not run from top to bottom'),
      body: trans.__(
        'The notebook alone does not give these results: %1. A run that is logged from here is marked so. A job always runs from the top.',
        this._reason ?? ''
      ),
      buttons: [
        Dialog.cancelButton({ label: trans.__('Leave it') }),
        Dialog.okButton({ label: trans.__('Restart and run all…') })
      ]
    });
    if (button.accept) {
      await this._commands.execute('notebook:restart-run-all');
    }
  }

  private _reason: string | null = null;
  private readonly _later = new Throttler(() => this._judge(), PAUSE);
}

function runs(panel: NotebookPanel): ICellRun[] {
  return [...(panel.content.model?.cells ?? [])]
    .filter(cell => cell.type === 'code')
    .map(cell => {
      const model = cell as CodeCellModel;
      return {
        source: model.sharedModel.getSource(),
        count: model.executionCount,
        isChanged: model.isDirty && model.executionCount !== null
      };
    });
}
