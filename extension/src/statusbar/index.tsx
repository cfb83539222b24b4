/**
 * A line at the window's foot: the branch, the run that goes on, the jobs.
 */
import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar, TextItem } from '@jupyterlab/statusbar';
import {
  ITranslator,
  nullTranslator,
  TranslationBundle
} from '@jupyterlab/translation';
import { LabIcon, ReactWidget } from '@jupyterlab/ui-components';
import { CommandRegistry } from '@lumino/commands';
import { ISignal, Signal } from '@lumino/signaling';
import React from 'react';

import { api, ask } from '../api/client';
import { Topic } from '../api/events';
import { Resource, useResource } from '../api/resource';
import { IStanding } from '../api/types';
import { DOMAIN } from '../plugin';
import { branchIcon, jobIcon, workbenchIcon } from '../ui/icons';
import { IWorkbench, Workbench } from '../workbench';

const TOPICS: readonly Topic[] = ['branch', 'runs', 'jobs'];

const ID = 'jupyter-workbench:statusbar';

export const statusBarPlugin: JupyterFrontEndPlugin<void> = {
  id: ID,
  description:
    'Shows the branch, the active run and the running jobs in the status bar.',
  autoStart: true,
  requires: [IWorkbench, IStatusBar],
  optional: [ISettingRegistry, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    workbench: Workbench,
    statusBar: IStatusBar,
    settings: ISettingRegistry | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const item = new StandingItem(workbench, app.commands, trans);
    statusBar.registerStatusItem(ID, {
      item,
      align: 'left',
      rank: 4,
      isActive: () => item.isActive,
      activeStateChanged: item.activeChanged
    });
    void settings?.load(ID).then(loaded => {
      const update = (): void => {
        item.isWanted = loaded.get('visible').composite !== false;
      };
      loaded.changed.connect(update);
      update();
    });
  }
};

/** Shown while the user is in a project. */
class StandingItem extends ReactWidget {
  constructor(
    private readonly _workbench: Workbench,
    private readonly _commands: CommandRegistry,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-Workbench-standing');
    _workbench.changed.connect((_, topics) => {
      if (topics.some(topic => TOPICS.includes(topic))) {
        void this._standing.load();
      }
    });
    _workbench.project.changed.connect(() => this._activeChanged.emit());
  }

  get isActive(): boolean {
    return this._isWanted && this._workbench.project.state.kind !== 'error';
  }

  /** Whether the user's settings want it. */
  set isWanted(isWanted: boolean) {
    this._isWanted = isWanted;
    this._activeChanged.emit();
  }

  get activeChanged(): ISignal<this, void> {
    return this._activeChanged;
  }

  protected override render(): JSX.Element {
    const open = (id: string): void =>
      void this._commands.execute(`workbench:show-${id}`);
    return <Standing standing={this._standing} open={open} trans={this._trans} />;
  }

  private _isWanted = true;
  private readonly _standing = new Resource<IStanding>(signal =>
    ask(
      api.GET('/standing', {
        params: { query: { path: this._workbench.path } },
        signal
      })
    )
  );
  private readonly _activeChanged = new Signal<this, void>(this);
}

function Standing(props: {
  readonly standing: Resource<IStanding>;
  readonly open: (panel: string) => void;
  readonly trans: TranslationBundle;
}): JSX.Element | null {
  const { standing, open, trans } = props;
  const state = useResource(standing);
  const value = state.kind === 'error' ? undefined : state.value;
  if (!value) {
    return null;
  }
  const { branch, run, running, queued } = value;
  const jobs = queued
    ? trans.__('%1 running, %2 waiting', running, queued)
    : trans._n('%1 job', '%1 jobs', running, running);
  return (
    <>
      {branch && (
        <Item
          icon={branchIcon}
          text={branch}
          title={trans.__('Branch %1', branch)}
          onClick={() => open('branch')}
        />
      )}
      {run && (
        <Item
          icon={workbenchIcon}
          text={run.name}
          title={trans.__('Run %1 goes on', run.name)}
          onClick={() => open('runs')}
        />
      )}
      {running + queued > 0 && (
        <Item
          icon={jobIcon}
          text={jobs}
          title={trans.__('Jobs: %1 running, %2 waiting', running, queued)}
          onClick={() => open('jobs')}
        />
      )}
    </>
  );
}

function Item(props: {
  readonly icon: LabIcon;
  readonly text: string;
  readonly title: string;
  readonly onClick: () => void;
}): JSX.Element {
  const { icon, text, title, onClick } = props;
  return (
    <button className="jp-Workbench-standingItem" title={title} onClick={onClick}>
      <icon.react tag="span" className="jp-Workbench-icon" />
      <TextItem source={text} />
    </button>
  );
}
