import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { historyIcon } from '@jupyterlab/ui-components';

import { panelPlugin } from '../../plugin';
import { addCompareCommand } from './compare';
import { RunDrive } from './drive';
import { runsPanel } from './panel';

export const runsPlugin = panelPlugin({
  id: 'runs',
  description: 'What was run, with its metrics.',
  rank: 20,
  icon: historyIcon,
  title: trans => trans.__('Runs'),
  caption: trans => trans.__('What was run, with its metrics'),
  make: runsPanel,
  commands: addCompareCommand
});

/** Lets the notebooks that runs executed be opened, to be read. */
export const runDrivePlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-workbench:run-drive',
  description: 'Opens the notebooks that runs executed.',
  autoStart: true,
  activate: (app: JupyterFrontEnd) =>
    app.serviceManager.contents.addDrive(new RunDrive())
};
