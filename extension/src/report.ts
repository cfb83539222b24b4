/**
 * The column report of a source, in the main area.
 */
import { IFrame, MainAreaWidget } from '@jupyterlab/apputils';
import { tableRowsIcon } from '@jupyterlab/ui-components';

import { IReport } from './api';

/** Show a report. Its frame may do nothing: the page is markup and style alone. */
export function reportWidget(report: IReport, title: string): MainAreaWidget {
  const content = new IFrame({ sandbox: [] });
  const frame = content.node.querySelector('iframe')!;
  frame.srcdoc = report.html;
  frame.title = title;
  const widget = new MainAreaWidget({ content });
  widget.id = `jupyter-workbench-report-${report.name}`;
  widget.title.label = title;
  widget.title.icon = tableRowsIcon;
  widget.title.closable = true;
  return widget;
}
