/**
 * Which folder the user is in.
 */
import { PathExt } from '@jupyterlab/coreutils';
import { FileBrowser } from '@jupyterlab/filebrowser';
import { INotebookTracker } from '@jupyterlab/notebook';
import { Contents } from '@jupyterlab/services';

import { Workbench } from './workbench';

/** Let `workbench` follow the file browser or, in an application that has none, the notebook. */
export function follow(
  workbench: Workbench,
  contents: Contents.IManager,
  tracker: INotebookTracker,
  browser: FileBrowser | null
): void {
  if (browser) {
    const update = () => {
      workbench.path = contents.localPath(browser.model.path);
    };
    browser.model.pathChanged.connect(update);
    update();
    return;
  }
  const update = () => {
    const panel = tracker.currentWidget;
    if (panel) {
      workbench.path = PathExt.dirname(contents.localPath(panel.context.path));
    }
  };
  tracker.currentChanged.connect(update);
  update();
}
