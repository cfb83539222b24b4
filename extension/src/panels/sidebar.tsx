/**
 * The sidebar: a head, and a section for each kind of record.
 */
import { PathExt } from '@jupyterlab/coreutils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import { CommandRegistry } from '@lumino/commands';
import { Poll } from '@lumino/polling';
import React from 'react';

import { CommandIDs } from '../commands';
import { workbenchIcon } from '../icons';
import { useResource } from '../resource';
import { Workbench } from '../workbench';
import { BranchSection } from './branch';
import { DataSection } from './data';
import { FeaturesSection } from './features';
import { ModelsSection } from './models';
import { Failure, Loading } from './parts';
import { Header, NotAProject } from './project';
import { RunsSection } from './runs';

export interface ISidebarOptions {
  readonly workbench: Workbench;
  readonly commands: CommandRegistry;
  readonly trans: TranslationBundle;
}

/** Reads when it comes on the screen, when the folder changes, and from time to time. */
export class Sidebar extends ReactWidget {
  constructor(private readonly _options: ISidebarOptions) {
    super();
    const { workbench, trans } = _options;
    this.id = 'jupyter-workbench-sidebar';
    this.addClass('jp-Workbench');
    this.title.icon = workbenchIcon;
    this.title.caption = trans.__('Workbench');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Workbench'));
    workbench.pathChanged.connect(this._refreshIfVisible, this);
    this._poll = new Poll({
      name: 'jupyter-workbench:sidebar',
      auto: false,
      factory: () => workbench.refresh(),
      frequency: { interval: Poll.NEVER, backoff: false },
      standby: () =>
        !this.isVisible || workbench.project.state.kind !== 'ready' || 'when-hidden'
    });
  }

  /** Follow the user's settings. */
  configure(settings: ISettingRegistry.ISettings): void {
    const update = () => {
      const seconds = Number(settings.get('refreshSeconds').composite);
      const interval = seconds > 0 ? seconds * 1000 : Poll.NEVER;
      this._poll.frequency = { interval, backoff: false, max: Poll.MAX_INTERVAL };
      void this._poll.start();
    };
    settings.changed.connect(update);
    this.disposed.connect(() => settings.changed.disconnect(update));
    update();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._options.workbench.pathChanged.disconnect(this._refreshIfVisible, this);
      this._poll.dispose();
      super.dispose();
    }
  }

  protected override onAfterShow(): void {
    this._refreshIfVisible();
  }

  protected override render(): JSX.Element {
    return <Content {...this._options} />;
  }

  private _refreshIfVisible(): void {
    if (this.isVisible) {
      void this._options.workbench.refresh();
    }
  }

  private readonly _poll: Poll;
}

function Content(props: ISidebarOptions): JSX.Element {
  const { workbench, commands, trans } = props;
  return (
    <>
      <Header
        project={workbench.project}
        refresh={() => void commands.execute(CommandIDs.refresh)}
        trans={trans}
      />
      <div className="jp-Workbench-content">
        <Body {...props} />
      </div>
    </>
  );
}

function Body(props: ISidebarOptions): JSX.Element {
  const { workbench, commands, trans } = props;
  const state = useResource(workbench.project);
  if (state.kind === 'error' && state.error.isNotAProject) {
    return (
      <NotAProject
        error={state.error}
        openTerminal={terminalOpener(commands, workbench.path)}
        trans={trans}
      />
    );
  }
  if (state.kind === 'error') {
    return (
      <Failure error={state.error} retry={() => workbench.refresh()} trans={trans} />
    );
  }
  if (!state.value) {
    return <Loading trans={trans} />;
  }
  const { folder } = state.value;
  return (
    <>
      <BranchSection
        workbench={workbench}
        openFile={folder === null ? null : path => openFile(commands, folder, path)}
        trans={trans}
      />
      <RunsSection workbench={workbench} trans={trans} />
      <ModelsSection workbench={workbench} trans={trans} />
      <DataSection
        workbench={workbench}
        openReport={source => void commands.execute(CommandIDs.openReport, { source })}
        trans={trans}
      />
      <FeaturesSection
        workbench={workbench}
        insert={code => void commands.execute(CommandIDs.insertFeature, { code })}
        trans={trans}
      />
    </>
  );
}

function openFile(commands: CommandRegistry, folder: string, path: string): void {
  void commands.execute('docmanager:open', { path: PathExt.join(folder, path) });
}

function terminalOpener(commands: CommandRegistry, cwd: string): (() => void) | null {
  const id = 'terminal:create-new';
  return commands.hasCommand(id) ? () => void commands.execute(id, { cwd }) : null;
}
