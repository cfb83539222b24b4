/**
 * The executed notebook of a job, in the main area.
 */
import { IFrame, MainAreaWidget } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { TranslationBundle } from '@jupyterlab/translation';
import { notebookIcon } from '@jupyterlab/ui-components';

import { IJobPage } from '../../api/types';
import { POLICY } from '../../ui/page';

/**
 * Show it. Its frame may do nothing and fetch nothing: what a notebook has put out is somebody
 * else's markup.
 */
export function executedWidget(
  page: IJobPage,
  trans: TranslationBundle
): MainAreaWidget {
  const name = PathExt.basename(page.notebook);
  const content = new IFrame({ sandbox: [] });
  const frame = content.node.querySelector('iframe')!;
  frame.title = trans.__('The executed notebook %1', name);
  const head = `<!doctype html><meta http-equiv="Content-Security-Policy" content="${POLICY}">`;
  frame.srcdoc = head + page.html;
  const widget = new MainAreaWidget({ content });
  widget.id = `jupyter-workbench-executed-${page.id}`;
  widget.title.label = trans.__('%1 (executed)', name);
  widget.title.caption = trans.__('What job %1 left', page.id);
  widget.title.icon = notebookIcon;
  widget.title.closable = true;
  return widget;
}
