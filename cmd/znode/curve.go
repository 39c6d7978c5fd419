package main

import (
	"errors"
	"log/slog"

	"github.com/go-zeromq/zmq4"

	"github.com/znode/znode/cmd/znode/internal/option"
	"github.com/znode/znode/node"
	"github.com/znode/znode/sockets"
	"github.com/znode/znode/sockets/curve"
)

// zeekClient is the name of who has the one key that all of Zeek's nodes share.
const zeekClient = "curve_client_publickey"

// curveServer is what makes the broker and the logger CURVE servers, nil without
// CURVE.
func curveServer(cfg *option.Config, log *slog.Logger) (*node.CurveServer, error) {
	if cfg.CurveServerSecretKey.IsZero() {
		return nil, nil
	}
	return node.NewCurveServer(node.CurveServerOptions{
		Node:    cfg.Node,
		Secret:  cfg.CurveServerSecretKey,
		Public:  cfg.CurveServerPublicKey,
		Clients: clientRights(cfg),
		Log:     log,
	})
}

// clientRights are those who may enter.
func clientRights(cfg *option.Config) []node.ClientRights {
	list := make([]node.ClientRights, 0, 1+len(cfg.Clients))
	if !cfg.CurveClientPublicKey.IsZero() {
		list = append(list, node.AllRights(zeekClient, cfg.CurveClientPublicKey))
	}
	for _, c := range cfg.Clients {
		list = append(list, node.ClientRights{
			Name: c.Name, Key: c.PublicKey, Publish: c.Publish, Subscribe: c.Subscribe, Log: c.Log,
		})
	}
	return list
}

// curveClientKeys are the keys of what connects, ok without CURVE false.
func curveClientKeys(cfg *option.Config) (keys curve.ClientOptions, ok bool) {
	return curve.ClientOptions{
		Server: cfg.CurveServerPublicKey, Secret: cfg.CurveClientSecretKey, Public: cfg.CurveClientPublicKey,
	}, !cfg.CurveServerPublicKey.IsZero()
}

// secureMember makes a member a CURVE client if there are keys.
func secureMember(cfg *option.Config, o *node.Options) error {
	if keys, ok := curveClientKeys(cfg); ok {
		return node.SecureClient(o, keys)
	}
	return nil
}

// curveClient is the mechanism of a command's sockets, nil without CURVE.
func curveClient(cfg *option.Config) (func(bool) zmq4.Security, error) {
	keys, ok := curveClientKeys(cfg)
	if !ok {
		return nil, nil
	}
	c, err := curve.NewClient(keys)
	if err != nil {
		return nil, err
	}
	return c.Mechanism, nil
}

// secureLogs makes a PULL of a command's own what a logger would be.
func secureLogs(cfg *option.Config, log *slog.Logger, o *sockets.Options) error {
	s, err := curveServer(cfg, log)
	if err != nil {
		return err
	}
	if s == nil {
		if _, ok := curveClientKeys(cfg); ok {
			return errors.New("curve_server_secretkey: missing; with encryption who takes logs needs it")
		}
		return nil
	}
	var l node.LoggerOptions
	s.SecureLogger(&l)
	o.Mechanism, o.Admit = l.PULL.Mechanism, l.PULL.Admit
	return nil
}
