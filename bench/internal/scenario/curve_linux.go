package scenario

import "github.com/znode/znode/sockets/curve"

// curveEnviron is what all processes of a trial with CURVE get in their
// environment: new keys in Zeek's own variables, which znode knows and the C
// programs of package side take too.
func curveEnviron() (environ []string, err error) {
	const prefix = "ZEEK_CLUSTER_BACKEND_ZEROMQ_CURVE_"
	for _, side := range []string{"SERVER", "CLIENT"} {
		public, secret, err := curve.Generate()
		if err != nil {
			return nil, err
		}
		environ = append(environ, prefix+side+"_PUBLICKEY="+public.String(), prefix+side+"_SECRETKEY="+secret.Reveal())
	}
	return environ, nil
}
