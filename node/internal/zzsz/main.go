package main
import ("os";"time";"log/slog";"github.com/znode/znode/sockets";"github.com/znode/znode/codec";"github.com/znode/znode/node")
func main(){ o:=sockets.DefaultOptions(); o.Log=slog.New(slog.NewTextHandler(os.Stderr,nil)); p,_:=sockets.NewPUSH(o); p.Connect("tcp://127.0.0.1:5557"); x,_:=sockets.NewXSUB(o,func(sockets.Batch){}); x.Connect("tcp://127.0.0.1:5555"); var e codec.EventView; e.Decode(nil); _=node.ServeMetrics; _,_=node.NewBroker(node.DefaultBrokerOptions()); time.Sleep(2*time.Second)}
