/**
 * Running the notebook that is open as a job, and looking at a job.
 */
import { ICommandPalette, MainAreaWidget, Notification } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { Widget } from '@lumino/widgets';

import { api, ask } from '../../api/client';
import { IContext } from '../../plugin';
import { jobIcon } from '../../ui/icons';
import { READING_TIME } from '../../ui/saying';
import { Actions, CommandIDs, fromProject } from './actions';
import { JobWidget } from './job';
import { executedWidget } from './executed';
import { FormWidget } from './form';

export function addJobCommands(
  context: IContext,
  tracker: INotebookTracker,
  rendermime: IRenderMimeRegistry,
  palette: ICommandPalette | null
): void {
  addRun(context, tracker);
  addOpen(context, rendermime);
  addExecuted(context);
  palette?.addItem({
    command: CommandIDs.runAsJob,
    category: context.trans.__('Workbench')
  });
}

/** Open the form of a notebook: of the one that is named, or the one that is open. */
function addRun(context: IContext, tracker: INotebookTracker): void {
  const { app, commands, workbench, trans } = context;
  const actions = new Actions(context);
  commands.addCommand(CommandIDs.runAsJob, {
    label: args =>
      args.toolbar ? trans.__('Run as Job') : trans.__('Run the Notebook as a Job'),
    caption: trans.__('Run as job: save the notebook and choose its parameters'),
    icon: jobIcon,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          path: {
            type: 'string',
            description: trans.__('The notebook; without it, the one that is open')
          },
          parameters: {
            type: 'object',
            description: trans.__('What to fill in: a text for each parameter')
          }
        }
      }
    },
    execute: async args => {
      const { contents } = app.serviceManager;
      const current = tracker.currentWidget;
      const given = typeof args.path === 'string' ? args.path : null;
      const path = given ?? (current && contents.localPath(current.context.path));
      if (!path) {
        Notification.warning(trans.__('Open a notebook first: it becomes the job.'), {
          autoClose: READING_TIME
        });
        return;
      }
      const open = tracker.find(one => contents.localPath(one.context.path) === path);
      if (open?.context.model.dirty && !open.context.model.readOnly) {
        await open.context.save();
      }
      workbench.path = PathExt.dirname(path);
      await workbench.refresh();
      const notebook = fromProject(workbench, path);
      const { state } = workbench.project;
      if (notebook === null) {
        const why =
          state.kind === 'error'
            ? state.error.message
            : trans.__('%1 is not in a project that this server serves.', path);
        Notification.error(why, { autoClose: false });
        return;
      }
      const parameters = (args.parameters ?? {}) as Readonly<Record<string, string>>;
      const content = new FormWidget({ ...context, actions, notebook, parameters });
      show(
        context,
        content,
        `form-${path}`,
        trans.__('Run %1', PathExt.basename(path))
      );
    }
  });
}

function addOpen(context: IContext, rendermime: IRenderMimeRegistry): void {
  const { app, commands, trans } = context;
  const actions = new Actions(context);
  commands.addCommand(CommandIDs.openJob, {
    label: trans.__('Open a Job'),
    caption: trans.__('Show how a job goes on, cell by cell'),
    icon: jobIcon,
    describedBy: withId(trans.__('The id of the job')),
    execute: args => {
      const id = String(args.id);
      const name = `job-${id}`;
      if ([...app.shell.widgets('main')].some(open => open.id === tabId(name))) {
        app.shell.activateById(tabId(name));
        return;
      }
      const content = new JobWidget({ ...context, actions, rendermime, id });
      show(context, content, name, trans.__('Job %1', id.slice(-8)));
    }
  });
}

function addExecuted(context: IContext): void {
  const { app, commands, workbench, trans } = context;
  commands.addCommand(CommandIDs.openExecuted, {
    label: trans.__('Open the Executed Notebook of a Job'),
    caption: trans.__('Show what a job left: its notebook with all outputs'),
    icon: jobIcon,
    describedBy: withId(trans.__('The id of the job')),
    execute: async args => {
      const id = String(args.id);
      const dark = document.body.getAttribute('data-jp-theme-light') === 'false';
      const reading = Notification.emit(
        trans.__('Reading the notebook…'),
        'in-progress',
        {
          autoClose: false
        }
      );
      try {
        const page = await ask(
          api.GET('/jobs/{id}/page', {
            params: { path: { id }, query: { path: workbench.path, dark } }
          })
        );
        const widget = executedWidget(page, trans);
        replace(context, widget);
        app.shell.activateById(widget.id);
        Notification.dismiss(reading);
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

function withId(description: string): { args: Record<string, never> } {
  const args: unknown = {
    type: 'object',
    properties: { id: { type: 'string', description } },
    required: ['id']
  };
  return { args: args as Record<string, never> };
}

/** Put something into a tab of the main area, instead of what is in it now. */
function show(context: IContext, content: Widget, name: string, label: string): void {
  const widget = new MainAreaWidget({ content });
  content.node.setAttribute('aria-label', content.title.caption); // not “main area content”
  widget.id = tabId(name);
  widget.title.label = label;
  widget.title.icon = jobIcon;
  widget.title.closable = true;
  replace(context, widget);
  context.app.shell.activateById(widget.id);
}

function tabId(name: string): string {
  return `jupyter-workbench-${name}`;
}

function replace({ app }: IContext, widget: Widget): void {
  [...app.shell.widgets('main')]
    .filter(each => each.id === widget.id)
    .forEach(before => before.dispose());
  app.shell.add(widget, 'main');
}
