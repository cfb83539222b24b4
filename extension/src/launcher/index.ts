import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { DOMAIN } from '../plugin';
import { IWorkbench, Workbench } from '../workbench';
import { addLauncherCommands } from './commands';
import { Tiles } from './tiles';

const ID = 'jupyter-workbench:launcher';

/** Offers to start an experiment and to open dashboards, in the launcher and in the palette. */
export const launcherPlugin: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'Tiles that start experiments and open dashboards.',
  autoStart: true,
  requires: [IWorkbench],
  optional: [ILauncher, ICommandPalette, ISettingRegistry, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    workbench: Workbench,
    launcher: ILauncher | null,
    palette: ICommandPalette | null,
    settings: ISettingRegistry | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const context = { app, commands: app.commands, workbench, trans };
    addLauncherCommands(context, palette);
    if (!launcher) {
      return;
    }
    const tiles = new Tiles(context, launcher);
    void Promise.all([app.restored, settings?.load(ID)]).then(([, loaded]) => {
      const update = (): void => {
        tiles.isWanted = loaded?.get('tiles').composite !== false;
      };
      loaded?.changed.connect(update);
      update();
    });
  }
};
