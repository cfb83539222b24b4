/**
 * Starting an experiment, and opening a dashboard.
 */
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import { TranslationBundle } from '@jupyterlab/translation';
import { inspectorIcon } from '@jupyterlab/ui-components';

import { api, ask } from '../api/client';
import { IContext } from '../plugin';
import { branchIcon } from '../ui/icons';
import { READING_TIME, sayFailure } from '../ui/saying';
import { askExperiment } from './dialog';

export namespace CommandIDs {
  export const newExperiment = 'workbench:new-experiment';
  export const launchDashboard = 'workbench:launch-dashboard';
}

/** Of other plugins, which may be switched off. */
const START_BRANCH = 'workbench:start-branch';
const OPEN_DASHBOARD = 'workbench:open-dashboard';

export function addLauncherCommands(
  context: IContext,
  palette: ICommandPalette | null
): void {
  const { commands, trans } = context;
  const text = (description: string) => ({ type: 'string', description });
  const isTile = {
    type: 'boolean',
    description: trans.__('Whether it stands in the launcher, which wants few words')
  };
  commands.addCommand(CommandIDs.newExperiment, {
    label: args =>
      args.isTile ? trans.__('New Experiment') : trans.__('Start a New Experiment…'),
    caption: trans.__('Start a branch and open a copy of a template on it'),
    icon: branchIcon,
    describedBy: { args: { type: 'object', properties: { isTile } } },
    execute: async () => {
      try {
        await startExperiment(context);
      } catch (error) {
        sayFailure(error);
      }
    }
  });
  commands.addCommand(CommandIDs.launchDashboard, {
    label: args => titleOf(String(args.name ?? ''), trans),
    caption: trans.__('Open the dashboard in a tab'),
    icon: inspectorIcon,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          name: text(trans.__('What it is called')),
          address: text(trans.__('Where it is, from the base address of the server')),
          isTile
        },
        required: ['name', 'address']
      }
    },
    execute: async ({ name, address }) => {
      if (commands.hasCommand(OPEN_DASHBOARD)) {
        const title = titleOf(String(name), trans);
        await commands.execute(OPEN_DASHBOARD, { name: title, address });
      } else {
        window.open(URLExt.join(PageConfig.getBaseUrl(), String(address)), '_blank');
      }
    }
  });
  palette?.addItem({
    command: CommandIDs.newExperiment,
    category: trans.__('Workbench')
  });
}

/** Start a branch if that can be done here, then copy a template and open the copy. */
async function startExperiment({
  commands,
  workbench,
  trans
}: IContext): Promise<void> {
  const params = { query: { path: workbench.path } };
  const templates = await ask(api.GET('/notebook-templates', { params }));
  const before = await ask(api.GET('/branch', { params }));
  let { branch } = before;
  if (commands.hasCommand(START_BRANCH)) {
    await commands.execute(START_BRANCH);
    ({ branch } = await ask(api.GET('/branch', { params })));
    if (branch === before.branch) {
      return; // the user thought better of it
    }
  }
  const asked = await askExperiment(templates, suggested(branch), trans);
  if (!asked) {
    return;
  }
  const { notebook } = await ask(api.POST('/notebooks', { params, body: asked }));
  workbench.tell('branch');
  const { folder } = await ask(api.GET('/project', { params }));
  if (folder === null) {
    Notification.info(trans.__('%1 is there, outside of what is served.', notebook), {
      autoClose: READING_TIME
    });
    return;
  }
  await commands.execute('docmanager:open', {
    path: URLExt.join(folder, notebook)
  });
}

/** Call the notebook as the branch. */
function suggested(branch: string | null): string {
  const isOwn = branch !== null && !['main', 'master'].includes(branch);
  return isOwn ? branch.replace(/[^\p{L}\p{N} ._-]+/gu, '-') : '';
}

function titleOf(name: string, trans: TranslationBundle): string {
  const words = name.replace(/[_-]+/g, ' ').trim();
  return words ? words[0].toLocaleUpperCase() + words.slice(1) : trans.__('Dashboard');
}
