/**
 * nbdime's renderer, which is large: this module is loaded when a notebook's changes are first
 * looked at.
 */
import { CodeMirrorEditorFactory } from '@jupyterlab/codemirror';
import { INotebookContent } from '@jupyterlab/nbformat';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { Widget } from '@lumino/widgets';
import { IDiffEntry } from 'nbdime/lib/diff/diffentries';
import { NotebookDiffModel } from 'nbdime/lib/diff/model';
import { NotebookDiffWidget } from 'nbdime/lib/diff/widget';
import 'nbdime/lib/styles/variables.css';
import 'nbdime/lib/styles/common.css';
import 'nbdime/lib/styles/diff.css';

/** Draw what differs between a notebook and `base`. */
export async function drawDiff(
  base: INotebookContent,
  diff: IDiffEntry[],
  rendermime: IRenderMimeRegistry
): Promise<Widget> {
  const model = new NotebookDiffModel(base, diff);
  const editorFactory = new CodeMirrorEditorFactory().newInlineEditor;
  const widget = new NotebookDiffWidget({ model, rendermime, editorFactory });
  await widget.init();
  return widget;
}
