/**
 * Describing a source of data, by name.
 */
import { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';

import { api, ask } from '../../api/client';
import { Workbench } from '../../workbench';
import { reportWidget } from './report';

export namespace CommandIDs {
  export const openReport = 'workbench:open-report';
}

/** Add the command that reads a source and shows what is in its columns. */
export function addReportCommand(
  app: JupyterFrontEnd,
  workbench: Workbench,
  trans: TranslationBundle
): void {
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
          await ask(
            api.GET('/sources/report', {
              params: { query: { path: workbench.path, name } }
            })
          ),
          trans.__('Report of %1', name)
        );
        [...app.shell.widgets('main')]
          .filter(each => each.id === widget.id)
          .forEach(before => before.dispose());
        app.shell.add(widget, 'main');
        app.shell.activateById(widget.id);
        Notification.dismiss(reading);
        workbench.tell('data');
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
}
