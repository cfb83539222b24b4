import {
  ILayoutRestorer,
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { refreshIcon } from '@jupyterlab/ui-components';

import { DOMAIN, NO_ARGS } from './plugin';
import { ISidebar, Sidebar } from './sidebar';
import { workbenchIcon } from './ui/icons';
import { IWorkbench, Workbench } from './workbench';

const ID = 'jupyter-workbench:sidebar';

/** Adds the sidebar, to which the panels' plugins add theirs. */
export const sidebarPlugin: JupyterFrontEndPlugin<ISidebar> = {
  id: ID,
  description: 'The sidebar that the panels stand in.',
  autoStart: true,
  requires: [IWorkbench],
  optional: [ICommandPalette, ILayoutRestorer, IStateDB, ITranslator],
  provides: ISidebar,
  activate: (
    app: JupyterFrontEnd,
    workbench: Workbench,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    states: IStateDB | null,
    translator: ITranslator | null
  ) => {
    const { commands, shell } = app;
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const refresh = (): void => void workbench.refresh();
    const sidebar = new Sidebar({ workbench, commands, refresh, trans });
    shell.add(sidebar, 'left', { rank: 150 });
    restorer?.add(sidebar, sidebar.id);
    if (states) {
      void remember(sidebar, states);
    }
    commands.addCommand('workbench:open', {
      label: trans.__('Open the Workbench Sidebar'),
      caption: trans.__('Show the panels of the project'),
      icon: workbenchIcon,
      describedBy: NO_ARGS,
      execute: () => shell.activateById(sidebar.id)
    });
    commands.addCommand('workbench:refresh', {
      label: trans.__('Refresh the Workbench Sidebar'),
      caption: trans.__('Read what the panels show again'),
      icon: refreshIcon,
      describedBy: NO_ARGS,
      execute: () => workbench.refresh()
    });
    ['workbench:open', 'workbench:refresh'].forEach(command =>
      palette?.addItem({ command, category: trans.__('Workbench') })
    );
    return sidebar;
  }
};

/** Open the panels that were open last time, and remember which ones are. */
async function remember(sidebar: Sidebar, states: IStateDB): Promise<void> {
  const open = await states.fetch(ID);
  if (Array.isArray(open)) {
    sidebar.restore(open.map(String));
  }
  sidebar.openChanged.connect(() => void states.save(ID, [...sidebar.open]));
}
