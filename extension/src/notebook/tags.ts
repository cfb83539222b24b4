/**
 * Tagging cells: `parameters` makes what stands in a cell a notebook's parameters, `function` the
 * functions that it defines the project's.
 */
import { Notification } from '@jupyterlab/apputils';
import { Cell, ICellModel } from '@jupyterlab/cells';
import { INotebookTracker } from '@jupyterlab/notebook';
import { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';

import { NO_ARGS } from '../plugin';
import { READING_TIME } from '../ui/saying';

export const CELL_TAGS = ['parameters', 'function'] as const;

export type CellTag = (typeof CELL_TAGS)[number];

export function tagCommand(tag: CellTag): string {
  return `workbench:tag-${tag}`;
}

/** Add a command for each tag, which gives it to the active cell, or takes it away. */
export function addTagCommands(
  commands: CommandRegistry,
  tracker: INotebookTracker,
  trans: TranslationBundle
): void {
  const active = (): Cell | null =>
    tracker.activeCell?.model.type === 'code' ? tracker.activeCell : null;
  for (const tag of CELL_TAGS) {
    commands.addCommand(tagCommand(tag), {
      label: words(tag, trans).label,
      caption: words(tag, trans).caption,
      describedBy: NO_ARGS,
      isEnabled: () => active() !== null && !active()!.readOnly,
      isToggleable: true,
      isToggled: () => hasTag(active()?.model, tag),
      execute: () => {
        const cell = active();
        if (cell) {
          toggle(tracker, cell.model, tag, trans);
          commands.notifyCommandChanged(tagCommand(tag));
        }
      }
    });
  }
  tracker.activeCellChanged.connect(() =>
    CELL_TAGS.forEach(tag => commands.notifyCommandChanged(tagCommand(tag)))
  );
}

function words(
  tag: CellTag,
  trans: TranslationBundle
): { label: string; caption: string } {
  return tag === 'parameters'
    ? {
        label: trans.__('Cell Holds the Parameters'),
        caption: trans.__('Tag the cell “parameters”: jobs give its names other values')
      }
    : {
        label: trans.__('Cell Defines Functions'),
        caption: trans.__('Tag the cell “function”: its functions become the project’s')
      };
}

/** Of cells with parameters there can be one: who has the tag loses it to the new one. */
function toggle(
  tracker: INotebookTracker,
  model: ICellModel,
  tag: CellTag,
  trans: TranslationBundle
): void {
  const isNew = !hasTag(model, tag);
  setTag(model, tag, isNew);
  if (!isNew || tag !== 'parameters') {
    return;
  }
  const cells = [...(tracker.currentWidget?.content.model?.cells ?? [])];
  const others = cells.filter(cell => cell !== model && hasTag(cell, tag));
  others.forEach(cell => setTag(cell, tag, false));
  if (others.length) {
    Notification.info(
      trans.__('Another cell held the parameters: it does no longer.'),
      { autoClose: READING_TIME }
    );
  }
}

function tags(model: ICellModel): readonly string[] {
  const found = model.getMetadata('tags') as unknown;
  return Array.isArray(found) ? found.map(String) : [];
}

function hasTag(model: ICellModel | undefined, tag: CellTag): boolean {
  return model !== undefined && tags(model).includes(tag);
}

function setTag(model: ICellModel, tag: CellTag, isOn: boolean): void {
  const others = tags(model).filter(each => each !== tag);
  const left = isOn ? [...others, tag] : others;
  if (left.length) {
    model.setMetadata('tags', left);
  } else {
    model.deleteMetadata('tags');
  }
}
