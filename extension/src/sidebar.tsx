/**
 * The sidebar: a head that says where one is, and below it the panels.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, SidePanel } from '@jupyterlab/ui-components';
import { CommandRegistry } from '@lumino/commands';
import { Token } from '@lumino/coreutils';
import { ISignal, Signal } from '@lumino/signaling';
import { AccordionPanel, Panel as Box } from '@lumino/widgets';
import React from 'react';

import { useResource } from './api/resource';
import { Header, NotAProject } from './head';
import { Panel } from './panel';
import { workbenchIcon } from './ui/icons';
import { Failure, Loading } from './ui/parts';
import { Workbench } from './workbench';

export interface ISidebarOptions {
  readonly workbench: Workbench;
  readonly commands: CommandRegistry;
  readonly refresh: () => void;
  readonly trans: TranslationBundle;
}

/** Where the panels stand. */
export interface ISidebar {
  /** Put a panel in, by its rank; it begins open or closed as it was left. */
  add(id: string, panel: Panel, rank: number): void;

  /** Open a panel and give it the keyboard. */
  openPanel(id: string): void;

  /** Take a panel out, or put it back. */
  setVisible(id: string, isVisible: boolean): void;
}

export const ISidebar = new Token<ISidebar>(
  'jupyter-workbench:ISidebar',
  'The Workbench sidebar, to which panels can be added.'
);

interface IPlaced {
  readonly id: string;
  readonly panel: Panel;
  readonly rank: number;
}

export class Sidebar extends SidePanel implements ISidebar {
  constructor(private readonly _options: ISidebarOptions) {
    super({ header: new Box() });
    const { workbench, trans } = _options;
    this.id = 'jupyter-workbench-sidebar';
    this.addClass('jp-Workbench-sidebar');
    this.title.icon = workbenchIcon;
    this.title.caption = trans.__('Workbench');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Workbench'));
    const head = ReactWidget.create(<Head {..._options} />);
    head.addClass('jp-Workbench');
    this.header.addWidget(head);
    workbench.project.changed.connect(this._update, this);
    workbench.pathChanged.connect(this._arriveIfVisible, this);
    this._accordion.expansionToggled.connect(() => this._openChanged.emit());
    this._update();
  }

  /** The panels that are open, by their ids. */
  get open(): readonly string[] {
    const { widgets, titles } = this._accordion;
    const isOpen = (index: number): boolean =>
      titles[index].classList.contains('lm-mod-expanded');
    return this._placed
      .filter(({ panel }) => widgets.includes(panel) && isOpen(widgets.indexOf(panel)))
      .map(({ id }) => id);
  }

  get openChanged(): ISignal<this, void> {
    return this._openChanged;
  }

  /** Open these panels and close the others, those that are still to come too. */
  restore(open: readonly string[]): void {
    this._wanted = new Set(open);
    this._placed.forEach(placed => this._fold(placed));
  }

  add(id: string, panel: Panel, rank: number): void {
    const placed = { id, panel, rank };
    const label = panel.title.label;
    panel.badgeChanged.connect((_, badge) => {
      panel.title.label = badge ? `${label} (${badge})` : label;
    });
    this._placed = [...this._placed, placed].sort((one, two) => one.rank - two.rank);
    this.insertWidget(this._placed.indexOf(placed), panel);
    this._fold(placed);
  }

  openPanel(id: string): void {
    const panel = this._placed.find(placed => placed.id === id)?.panel;
    if (panel) {
      this.setVisible(id, true);
      this._accordion.expand(this._accordion.widgets.indexOf(panel));
      this._share();
      panel.node.focus();
    }
  }

  setVisible(id: string, isVisible: boolean): void {
    const placed = this._placed.find(one => one.id === id);
    if (!placed || this._accordion.widgets.includes(placed.panel) === isVisible) {
      return;
    }
    if (isVisible) {
      const before = this._placed.filter(
        one => one.rank < placed.rank && this._accordion.widgets.includes(one.panel)
      );
      this.insertWidget(before.length, placed.panel);
      this._fold(placed);
    } else {
      placed.panel.parent = null;
    }
  }

  protected override onAfterShow(): void {
    if (this.isVisible) {
      this._options.refresh();
    }
  }

  private get _accordion(): AccordionPanel {
    return this.content as AccordionPanel;
  }

  private _fold({ id, panel }: IPlaced): void {
    const index = this._accordion.widgets.indexOf(panel);
    if (index < 0) {
      return;
    }
    if (this._wanted.has(id)) {
      this._accordion.expand(index);
    } else {
      this._accordion.collapse(index);
    }
    this._share();
  }

  /** Give each open panel as much room as the others: one that was closed has none of its own. */
  private _share(): void {
    const { widgets } = this._accordion;
    this._accordion.setRelativeSizes(widgets.map(one => (one.isHidden ? 0 : 1)));
  }

  private _arriveIfVisible(): void {
    if (this.isVisible) {
      void this._options.workbench.arrive();
    }
  }

  private _update(): void {
    const { state } = this._options.workbench.project;
    const isThere = state.kind !== 'error' && state.value !== undefined;
    this.content.setHidden(!isThere);
  }

  private _placed: readonly IPlaced[] = [];
  private _wanted: ReadonlySet<string> = new Set(['branch', 'runs', 'features']);
  private readonly _openChanged = new Signal<this, void>(this);
}

function Head(props: ISidebarOptions): JSX.Element {
  const { workbench, commands, refresh, trans } = props;
  const state = useResource(workbench.project);
  const header = <Header workbench={workbench} refresh={refresh} trans={trans} />;
  if (state.kind === 'error' && state.error.isNotAProject) {
    const id = 'terminal:create-new';
    const openTerminal = commands.hasCommand(id)
      ? () => void commands.execute(id, { cwd: workbench.path })
      : null;
    return (
      <>
        {header}
        <NotAProject error={state.error} openTerminal={openTerminal} trans={trans} />
      </>
    );
  }
  if (state.kind === 'error') {
    return (
      <>
        {header}
        <Failure error={state.error} retry={refresh} trans={trans} />
      </>
    );
  }
  return state.value ? (
    header
  ) : (
    <>
      {header}
      <Loading trans={trans} />
    </>
  );
}
