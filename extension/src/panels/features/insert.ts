/**
 * Putting code into a notebook.
 */
import { JupyterFrontEnd } from '@jupyterlab/application';
import { Cell } from '@jupyterlab/cells';
import { INotebookTracker, NotebookActions, NotebookPanel } from '@jupyterlab/notebook';

/**
 * Remembers where the focus was last in each notebook. A click on a sidebar takes the focus away
 * and leaves edit mode, so at that moment the notebook itself no longer knows.
 */
export class FocusMemory {
  constructor(tracker: INotebookTracker) {
    tracker.forEach(panel => this._watch(panel));
    tracker.widgetAdded.connect((_, panel) => this._watch(panel));
  }

  /** Whether the user was last writing in this cell. */
  wasIn(panel: NotebookPanel, cell: Cell): boolean {
    const last = this._last.get(panel);
    return !!last && !!cell.editorWidget?.node.contains(last);
  }

  private _watch(panel: NotebookPanel): void {
    // The listener goes with the notebook's node, the entry with the notebook.
    panel.content.node.addEventListener('focusin', event => {
      this._last.set(panel, event.target as Element);
    });
  }

  private readonly _last = new WeakMap<NotebookPanel, Element>();
}

/**
 * Put `code` at the cursor of the code cell that the user was last writing in; into the active
 * cell if that one is an empty code cell; otherwise into a new cell below it.
 */
export async function insertCode(
  panel: NotebookPanel,
  code: string,
  memory: FocusMemory
): Promise<void> {
  await panel.context.ready;
  const notebook = panel.content;
  const cell = notebook.activeCell;
  const isOpen = cell?.model.type === 'code' && !cell.readOnly;
  if (isOpen && cell.editor?.replaceSelection && memory.wasIn(panel, cell)) {
    const { line, column } = cell.editor.getCursorPosition();
    const text = cell.editor.getLine(line) ?? '';
    cell.editor.replaceSelection(fit(code, text.slice(0, column), text.slice(column)));
  } else if (isOpen && !cell.model.sharedModel.getSource().trim()) {
    cell.model.sharedModel.setSource(code);
  } else {
    NotebookActions.insertBelow(notebook);
    NotebookActions.changeCellType(notebook, 'code');
    notebook.activeCell?.model.sharedModel.setSource(code);
  }
}

/** Bring the notebook to the front and give the keyboard to the editor of its active cell. */
export async function goOnWriting(
  panel: NotebookPanel,
  shell: JupyterFrontEnd.IShell
): Promise<void> {
  const notebook = panel.content;
  if (panel.isVisible) {
    await notebook.activeCell?.ready; // in a hidden notebook it isn't until it is shown
  }
  shell.activateById(panel.id);
  notebook.mode = 'edit';
  // At once: the activation that is under way leaves the focus alone if it is in the notebook.
  notebook.activeCell?.editor?.focus();
}

/**
 * Fit `code` between what its line has `before` and `after` the cursor. An expression goes in as it
 * is. Statements get lines of their own, as far in as that line is.
 */
export function fit(code: string, before: string, after: string): string {
  if (!code.includes('\n')) {
    return code;
  }
  const indent = /^\s*/.exec(before)?.[0] ?? '';
  const lines = code.replace(/\n/g, `\n${indent}`).replace(/[ \t]+$/gm, '');
  const head = before.trim() ? `\n${indent}` : '';
  const tail = after.trim() ? `\n${indent}` : '';
  return head + lines + tail;
}
