/**
 * What the user can do by name: from the palette, a menu, a shortcut or another extension.
 */
import { JupyterFrontEnd } from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { TranslationBundle } from '@jupyterlab/translation';
import { refreshIcon } from '@jupyterlab/ui-components';

import { workbenchIcon } from './icons';
import { FocusMemory, goOnWriting, insertCode } from './insert';
import { pickFeature } from './pick';
import { reportWidget } from './report';
import { Workbench } from './workbench';

export namespace CommandIDs {
  export const open = 'workbench:open';
  export const refresh = 'workbench:refresh';
  export const insertFeature = 'workbench:insert-feature';
  export const openReport = 'workbench:open-report';
}

/** How long a notification stays, in milliseconds. JupyterLab shows none unless it is told. */
const READING_TIME = 6000;

const NO_ARGS = { args: { type: 'object', properties: {} } } as const;

/** Add the commands that open the sidebar and refresh it. */
export function addSidebarCommands(
  app: JupyterFrontEnd,
  sidebar: { readonly id: string },
  workbench: Workbench,
  palette: ICommandPalette | null,
  trans: TranslationBundle
): void {
  const category = trans.__('Workbench');
  app.commands.addCommand(CommandIDs.open, {
    label: trans.__('Open the Workbench Sidebar'),
    caption: trans.__('Show branch, runs, models, data and features of the project'),
    icon: workbenchIcon,
    describedBy: NO_ARGS,
    execute: () => app.shell.activateById(sidebar.id)
  });
  app.commands.addCommand(CommandIDs.refresh, {
    label: trans.__('Refresh the Workbench Sidebar'),
    caption: trans.__('Read branch, runs, models, data and features again'),
    icon: refreshIcon,
    describedBy: NO_ARGS,
    execute: () => workbench.refresh()
  });
  app.commands.addCommand(CommandIDs.openReport, {
    label: trans.__('Describe a Source of Data'),
    caption: trans.__('Read a source and show what is in its columns'),
    describedBy: {
      args: {
        type: 'object',
        properties: {
          source: {
            type: 'string',
            description: trans.__('The name of the source')
          }
        },
        required: ['source']
      }
    },
    execute: async args => {
      const name = String(args.source);
      const reading = Notification.emit(trans.__('Reading %1…', name), 'in-progress', {
        autoClose: false
      });
      try {
        const widget = reportWidget(
          await workbench.report(name),
          trans.__('Report of %1', name)
        );
        [...app.shell.widgets('main')]
          .filter(each => each.id === widget.id)
          .forEach(before => before.dispose());
        app.shell.add(widget, 'main');
        app.shell.activateById(widget.id);
        Notification.dismiss(reading);
        void workbench.sources.load();
      } catch (error) {
        Notification.update({
          id: reading,
          message: (error as Error).message,
          type: 'error',
          autoClose: false
        });
      }
    }
  });
  palette?.addItem({ command: CommandIDs.open, category });
  palette?.addItem({ command: CommandIDs.refresh, category });
}

/** Add the command that inserts a feature: the one whose code it is given, or one to choose. */
export function addInsertCommand(
  app: JupyterFrontEnd,
  workbench: Workbench,
  tracker: INotebookTracker,
  palette: ICommandPalette | null,
  trans: TranslationBundle
): void {
  const memory = new FocusMemory(tracker);
  app.commands.addCommand(CommandIDs.insertFeature, {
    label: trans.__('Insert a Feature into the Notebook'),
    caption: trans.__('Insert the code of a feature at the cursor'),
    describedBy: {
      args: {
        type: 'object',
        properties: {
          code: {
            type: 'string',
            description: trans.__('The Python to insert; without it, the user chooses')
          }
        }
      }
    },
    execute: async args => {
      const panel = tracker.currentWidget;
      if (!panel) {
        Notification.warning(
          trans.__('Open a notebook first: the feature goes to its cursor.'),
          { autoClose: READING_TIME }
        );
        return;
      }
      try {
        const given = typeof args.code === 'string' ? args.code : null;
        const code = given ?? (await pickFeature(workbench, trans))?.code;
        if (code) {
          await insertCode(panel, code, memory);
          await goOnWriting(panel, app.shell);
        }
      } catch (error) {
        Notification.error((error as Error).message, { autoClose: false });
      }
    }
  });
  palette?.addItem({
    command: CommandIDs.insertFeature,
    category: trans.__('Workbench')
  });
}
