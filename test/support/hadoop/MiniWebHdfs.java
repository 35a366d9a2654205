// Two namenodes, of which the first is active, and one datanode; all on ports of the loopback. Tells the ports on
// standard output, makes the second namenode active when told "failover", and ends with its standard input.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.apache.hadoop.hdfs.MiniDFSNNTopology;

public class MiniWebHdfs {
  public static void main(String[] args) throws Exception {
    Configuration configuration = new Configuration();
    configuration.set("hdfs.minidfs.basedir", args[0]);
    // Listings come in batches of this many, so that small trees cross batches too.
    configuration.set("dfs.ls.limit", "3");
    // The files are small: without this HDFS refuses blocks of less than 1 MiB.
    configuration.set("dfs.namenode.fs-limits.min-block-size", "0");
    MiniDFSCluster cluster = new MiniDFSCluster.Builder(configuration)
        .nnTopology(MiniDFSNNTopology.simpleHATopology())
        .numDataNodes(1)
        .build();
    try {
      cluster.waitActive();
      cluster.transitionToActive(0);
      System.out.println("ready " + cluster.getNameNode(0).getHttpAddress().getPort()
          + " " + cluster.getNameNode(1).getHttpAddress().getPort());
      BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
      for (String line = input.readLine(); line != null; line = input.readLine()) {
        if (line.equals("failover")) {
          cluster.transitionToStandby(0);
          cluster.transitionToActive(1);
          System.out.println("done");
        }
      }
    } finally {
      cluster.shutdown(true);
    }
  }
}
