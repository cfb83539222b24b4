import {
  ILayoutRestorer,
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { addSidebarCommands } from '../commands';
import { Sidebar } from '../panels/sidebar';
import { IWorkbench, Workbench } from '../workbench';

/** Adds the sidebar. */
export const sidebarPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-workbench:sidebar',
  description: 'Shows branch, runs, models, data and features of the project.',
  autoStart: true,
  requires: [IWorkbench],
  optional: [ICommandPalette, ILayoutRestorer, ISettingRegistry, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    workbench: Workbench,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    settings: ISettingRegistry | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter_workbench');
    const sidebar = new Sidebar({ workbench, commands: app.commands, trans });
    app.shell.add(sidebar, 'left', { rank: 150 });
    restorer?.add(sidebar, sidebar.id);
    addSidebarCommands(app, sidebar, workbench, palette, trans);
    void settings?.load(sidebarPlugin.id).then(s => sidebar.configure(s));
  }
};
