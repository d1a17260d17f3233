"""The systemd unit of an installation, with its own paths in it."""

from __future__ import annotations

from pathlib import Path

from bot.config.settings import Settings

_UNIT = """\
# Likewatch, printed by `likewatch unit`. Install it as /etc/systemd/system/likewatch.service, then:
#   systemctl daemon-reload && systemctl enable --now likewatch
[Unit]
Description=Likewatch: who is gaining an audience, and from where
Wants=network-online.target
After=network-online.target
# It is started anew for ever: a network that is down for an hour is no reason to give up.
StartLimitIntervalSec=0

[Service]
# Likewatch says when it is ready, and every few seconds that its cycle is well.
Type=notify
WatchdogSec=120
# A large database is looked through first.
TimeoutStartSec=900
ExecStart={executable} run --no-browser
WorkingDirectory={folder}
Environment={database}
User={user}
Restart=always
RestartSec=10
# It ends within 8 seconds of being asked to; whatever is unfinished then, the database knows.
TimeoutStopSec=15

# It writes its database's folder, and nothing else; it needs the network, and no privilege.
UMask=0077
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths={data}
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
NoNewPrivileges=yes
CapabilityBoundingSet=
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target"""


def systemd_unit(settings: Settings, *, executable: Path, folder: Path, user: str) -> str:
    """A unit that does what ``likewatch run`` in ``folder`` does, where its ``.env`` is read from."""
    database = folder / settings.database
    return _UNIT.format(
        executable=_quoted(executable),
        folder=_escaped(folder),
        database=_quoted(f"LIKEWATCH_DATABASE={database}"),
        data=_quoted(database.parent),
        user=user,
    )


def _escaped(text: object) -> str:
    return str(text).replace("%", "%%")


def _quoted(word: object) -> str:
    """One word as systemd reads it: https://www.freedesktop.org/software/systemd/man/systemd.syntax.html#Quoting."""
    text = _escaped(word).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"' if any(character.isspace() or character in "\"'\\" for character in text) else text
